//! Just enough GraphQL to name the fields a document mutates: strings, comments and nesting are respected, nothing else is understood.

/// Names of the root fields of the mutations in `document`; of the named operation alone when there is a name.
pub(super) fn mutated_fields(document: &str, operation: Option<&str>) -> Vec<String> {
    let tokens = tokens(document);
    let mut fields = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let start = at;
        let Some(open) =
            (at..tokens.len()).find(|&i| tokens[i] == Token::Punct('{') && in_parens(&tokens[start..i]) == 0)
        else {
            break;
        };
        let close = matching(&tokens, open);
        let head = &tokens[start..open];
        let is_mutation = matches!(head.first(), Some(Token::Name(n)) if n == "mutation");
        let name = match head.get(1) {
            Some(Token::Name(n)) => Some(n.as_str()),
            _ => None,
        };
        if is_mutation && (operation.is_none() || name.is_none() || name == operation) {
            root_fields(&tokens[open + 1..close], &mut fields);
        }
        at = close + 1;
    }
    fields
}

#[derive(Debug, PartialEq, Eq)]
enum Token {
    Name(String),
    Punct(char),
}

fn in_parens(tokens: &[Token]) -> i32 {
    tokens.iter().fold(0, |depth, token| match token {
        Token::Punct('(') => depth + 1,
        Token::Punct(')') => depth - 1,
        _ => depth,
    })
}

fn matching(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0;
    for (i, token) in tokens.iter().enumerate().skip(open) {
        match token {
            Token::Punct('{') => depth += 1,
            Token::Punct('}') => {
                depth -= 1;
                if depth == 0 {
                    return i;
                }
            }
            _ => {}
        }
    }
    tokens.len() - 1
}

/// `alias: field(args) { ... }` at depth 0 of a selection set; a fragment spread is named as such so that it is never taken for nothing.
fn root_fields(tokens: &[Token], fields: &mut Vec<String>) {
    let mut depth = 0;
    for (i, token) in tokens.iter().enumerate() {
        match token {
            Token::Punct('{' | '(' | '[') => depth += 1,
            Token::Punct('}' | ')' | ']') => depth -= 1,
            Token::Punct('.') if depth == 0 && tokens.get(i + 1) != Some(&Token::Punct('.')) => {
                fields.push("...fragment".to_owned());
            }
            Token::Name(name) if depth == 0 => {
                let is_alias = tokens.get(i + 1) == Some(&Token::Punct(':'));
                let is_directive = i > 0 && tokens[i - 1] == Token::Punct('@');
                if !is_alias && !is_directive {
                    fields.push(name.clone());
                }
            }
            _ => {}
        }
    }
}

fn tokens(document: &str) -> Vec<Token> {
    let mut out = Vec::new();
    let mut rest = document;
    while let Some(c) = rest.chars().next() {
        if c == '#' {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if let Some(block) = rest.strip_prefix("\"\"\"") {
            rest = block.find("\"\"\"").map_or("", |end| &block[end + 3..]);
        } else if c == '"' {
            rest = after_string(&rest[1..]);
        } else if c == '_' || c.is_ascii_alphabetic() {
            let end = rest.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
            out.push(Token::Name(rest[..end].to_owned()));
            rest = &rest[end..];
        } else {
            if !c.is_whitespace() && c != ',' {
                out.push(Token::Punct(c));
            }
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

fn after_string(text: &str) -> &str {
    let mut escaped = false;
    for (i, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return &text[i + 1..],
            _ => {}
        }
    }
    ""
}

/// The `operations` part of a GraphQL multipart upload.
pub(super) fn operations_part(body: &[u8]) -> Option<Vec<u8>> {
    let name = b"name=\"operations\"";
    let start = find(body, name)? + name.len();
    let content = start + find(&body[start..], b"\r\n\r\n")? + 4;
    let end = content + find(&body[content..], b"\r\n--")?;
    Some(body[content..end].to_vec())
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
