//! Answers that are lists: each element as an answer of its own.

use emp_core::spec::Listed;
use emp_syntax::jsonpath::JsonPath;
use emp_syntax::selector::{Selector, Source};
use serde_json::Value;

use crate::exchange::Exchange;
use crate::reduce;
use crate::select::View;

/// The elements of a list; `None` when the answer is not one: an error with 200 does not say that a job is absent.
pub fn elements(items: &Selector, view: &View<'_>) -> Option<Vec<Value>> {
    is_list(items, view).then(|| view.all(items))
}

/// The id that an element has, as text.
pub fn id(listed: &Listed, element: &Value, view: &View<'_>) -> Option<String> {
    let exchange = view.exchange.element(element.clone());
    let inner = View { exchange: &exchange, ..*view };
    inner.get(&listed.id).as_ref().and_then(reduce::text)
}

/// What a list says of one service job: its element, or a 404 when the list has none. `None` when it is no list.
pub fn answer(listed: &Listed, wanted: &str, view: &View<'_>) -> Option<Exchange> {
    let found = elements(&listed.items, view)?
        .into_iter()
        .find(|element| id(listed, element, view).as_deref() == Some(wanted));
    Some(match found {
        Some(element) => view.exchange.element(element),
        None => Exchange { code: 404, ..view.exchange.element(Value::Null) },
    })
}

fn is_list(items: &Selector, view: &View<'_>) -> bool {
    let (Source::Path(path), Ok(body)) = (&items.source, &view.exchange.json) else {
        return view.exchange.json.is_ok();
    };
    let Some(path) = view.fill(path) else { return false };
    let Some((_, parent)) = path.segments.split_last() else { return body.is_array() };
    let parent = JsonPath { segments: parent.to_vec().into() };
    let found = path.nodes(body).into_iter().chain(parent.nodes(body));
    found.into_iter().any(Value::is_array)
}
