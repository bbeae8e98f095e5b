//! Pictures: uploaded once each, and found again by their file name after a cut.

use serde_json::json;
use tradepost_sdk::catalog::Medium;
use tradepost_sdk::head::{Part, PartKind};
use tradepost_sdk::types::Error;

use super::refused;
use crate::api::Shop;
use crate::map::catalogue::part;
use crate::map::write::picture_file;

/// Ids of the assets of `pictures`, in their order; those that are not in the shop yet are uploaded. `known` are the
/// parts that the host remembers, `owner` is unique to the object that shows them.
///
/// # Errors
/// `rejected` for a picture without bytes or of a kind that the shop refuses.
pub fn assets(
    shop: &Shop<'_>,
    owner: &str,
    pictures: &[Medium],
    known: &[Part],
    mut made: impl FnMut(Part),
) -> Result<Vec<String>, Error> {
    let remembered = |key: &str| {
        known.iter().find(|part| part.what == PartKind::Picture && part.key == key).map(|part| part.id.clone())
    };
    let file = |picture: &Medium| {
        let media_type = picture.content.blob.as_ref().map_or("", |blob| blob.media_type.as_str());
        picture_file(owner, &picture.key, media_type)
    };
    let ids: Vec<String> = pictures.iter().filter_map(|picture| remembered(&picture.key)).collect();
    let files: Vec<String> = pictures.iter().map(file).collect();
    let there = existing(shop, &ids, &files)?;
    let mut all = Vec::new();
    for picture in pictures {
        let name = file(picture);
        let found = remembered(&picture.key)
            .filter(|id| there.iter().any(|(known, _)| known == id))
            .or_else(|| there.iter().find(|(_, known)| *known == name).map(|(id, _)| id.clone()));
        let id = match (found, &picture.content.blob) {
            (Some(id), _) => id,
            (None, Some(blob)) => shop.upload(&blob.id, &name, &blob.media_type)?,
            (None, None) => return Err(refused("pictures", format!("picture {} has no bytes", picture.key))),
        };
        made(part(PartKind::Picture, &picture.key, &id));
        if !all.contains(&id) {
            all.push(id);
        }
    }
    Ok(all)
}

/// Id and name of the assets that are there.
fn existing(shop: &Shop<'_>, ids: &[String], files: &[String]) -> Result<Vec<(String, String)>, Error> {
    const ASSETS: &str = "query($options:AssetListOptions){assets(options:$options){items{id name}}}";
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let filter = json!({"_or": [{"id": {"in": ids}}, {"name": {"in": files}}]});
    let reply = shop.query(ASSETS, json!({"options": {"filter": filter, "sort": {"id": "ASC"}}}))?;
    let items = reply.data["assets"]["items"].as_array().cloned().unwrap_or_default();
    Ok(items
        .iter()
        .filter_map(|item| Some((item["id"].as_str()?.to_owned(), item["name"].as_str()?.to_owned())))
        .collect())
}
