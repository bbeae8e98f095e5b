use super::*;

fn shop(query: &str) -> Effect {
    let body = serde_json::json!({ "query": query, "variables": {} }).to_string();
    classify(Server::Vendure, "POST", "/admin-api", "application/json", body.as_bytes())
}

fn erp(method: &str, path: &str, body: &str) -> Effect {
    classify(Server::Tryton, method, path, "application/json", body.as_bytes())
}

fn write(what: &str) -> Effect {
    Effect::Write(what.to_owned())
}

#[test]
fn queries_of_the_shop_are_reads() {
    for query in [
        "{products{totalItems}}",
        "query($o:OrderListOptions){orders(options:$o){items{id}}}",
        "query mutation { products { totalItems } }",
        "# mutation { deleteProduct(id: 1) { result } }\n{ products { totalItems } }",
        "query { products(options:{filter:{name:{eq:\"mutation { x }\"}}}) { totalItems } }",
    ] {
        assert_eq!(shop(query), Effect::Read, "{query}");
    }
}

#[test]
fn logging_in_is_a_session_and_not_a_write() {
    assert_eq!(
        shop("mutation($u:String!){login(username:$u,password:\"x\"){__typename ... on ErrorResult{message}}}"),
        Effect::Session
    );
    assert_eq!(
        shop("mutation{login(username:\"a\",password:\"b\"){__typename} deleteProduct(id:1){result}}"),
        write("login, deleteProduct")
    );
}

#[test]
fn mutations_of_the_shop_are_named() {
    assert_eq!(
        shop("mutation Save($i:[X!]! = [{a:{b:1}}]){ok: updateProductVariants(input:$i){id sku}}"),
        write("updateProductVariants")
    );
    assert_eq!(shop("fragment F on P{id}\nmutation{updateProduct(input:{id:1}){...F}}"), write("updateProduct"));
    assert_eq!(shop("mutation{...M} fragment M on Mutation{deleteProduct(id:1){result}}"), write("...fragment, M"));
}

#[test]
fn only_the_named_operation_runs() {
    let body = r#"{"query":"query A{me{id}} mutation B{deleteProduct(id:1){result}}","operationName":"A"}"#;
    assert_eq!(classify(Server::Vendure, "POST", "/admin-api", "application/json", body.as_bytes()), Effect::Read);
    let body = body.replace("\"A\"", "\"B\"");
    assert_eq!(
        classify(Server::Vendure, "POST", "/admin-api", "application/json", body.as_bytes()),
        write("deleteProduct")
    );
}

#[test]
fn an_upload_is_judged_by_its_operations_part() {
    let body = "--b\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n{\"query\":\"mutation($i:[I!]!){createAssets(input:$i){__typename}}\"}\r\n--b\r\nContent-Disposition: form-data; name=\"map\"\r\n\r\n{}\r\n--b--\r\n";
    let upload = "multipart/form-data; boundary=b";
    assert_eq!(classify(Server::Vendure, "POST", "/admin-api", upload, body.as_bytes()), write("createAssets"));
    assert!(matches!(classify(Server::Vendure, "POST", "/admin-api", upload, b"--b--"), Effect::Write(_)));
}

#[test]
fn what_cannot_be_read_counts_as_a_write() {
    assert!(matches!(classify(Server::Vendure, "POST", "/admin-api", "application/json", b"{"), Effect::Write(_)));
    assert!(matches!(classify(Server::Vendure, "POST", "/admin-api", "application/json", b"{}"), Effect::Write(_)));
    assert!(matches!(erp("POST", "/erp/rpc/", "nonsense"), Effect::Write(_)));
}

#[test]
fn the_erp_writes_by_rest_methods_and_buttons() {
    assert_eq!(erp("GET", "/erp/rest/model/sale.sale?d=x", ""), Effect::Read);
    assert_eq!(erp("POST", "/erp/rest/model/sale.sale", "{}"), write("POST /erp/rest/model/sale.sale"));
    assert_eq!(erp("POST", "/erp/rest/model/sale.sale/3/quote", "{}"), write("POST /erp/rest/model/sale.sale/3/quote"));
    assert_eq!(
        erp("PUT", "/erp/rest/model/product.template/1?x=1", "{}"),
        write("PUT /erp/rest/model/product.template/1")
    );
    assert!(matches!(erp("DELETE", "/erp/rest/model/product.image/1", ""), Effect::Write(_)));
}

#[test]
fn rpc_calls_are_judged_by_their_method() {
    let call = |method: &str| {
        erp("POST", "/erp/rpc/", &serde_json::json!({ "id": 1, "method": method, "params": [] }).to_string())
    };
    assert_eq!(call("common.db.login"), Effect::Session);
    assert_eq!(call("model.product.product.search_read"), Effect::Read);
    assert_eq!(call("model.sale.sale.create"), write("model.sale.sale.create"));
    assert_eq!(call("model.sale.sale.quote"), write("model.sale.sale.quote"));
    assert_eq!(
        call("wizard.sale.handle.shipment.exception.execute"),
        write("wizard.sale.handle.shipment.exception.execute")
    );
}
