//! `POST` to the list.

use http::StatusCode;
use reseal_lifecycle::compromise::MOST_KEYS;
use reseal_pki::key::{NamedKey, named_key};

use super::wire::BlockedBody;
use crate::answer;
use crate::auth::{Call, Outcome};
use crate::body::Fields;
use crate::body::syntax::Text;

/// What is to be blocked.
pub(super) struct Block {
    keys: Vec<NamedKey>,
    reason: String,
}

/// Blocks keys, for everybody and for ever.
pub(crate) async fn block(call: Call) -> Outcome {
    let body = call.body()?;
    let Block { keys, reason } = Fields::read(&body, read)?;
    let services = call.services();
    let blocked = services.block_keys(&call.caller, &keys, &reason).await?;
    Ok(answer::json(StatusCode::OK, &BlockedBody::of(&blocked)))
}

/// The body.
pub(super) fn read(fields: &mut Fields<'_, '_>) -> Block {
    let texts = fields.texts("keys", Text::Document);
    fields.describe_as("keys", |schema| {
        schema["minItems"] = 1.into();
        schema["maxItems"] = MOST_KEYS.into();
    });
    let texts = match texts {
        Some(texts) if texts.is_empty() => {
            fields.violation("keys", "may not be empty", None);
            texts
        }
        Some(texts) if texts.len() > MOST_KEYS => {
            let message = format!("may have at most {MOST_KEYS} elements, saw {}", texts.len());
            fields.violation("keys", &message, None);
            Vec::new()
        }
        Some(texts) => texts,
        None => {
            fields.missing("keys");
            Vec::new()
        }
    };
    let mut keys = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        match named_key(text) {
            Ok(key) => keys.push(key),
            // The text is not shown: it may hold a private key.
            Err(problem) => fields.violation(&format!("keys[{index}]"), &problem, None),
        }
    }
    Block {
        keys,
        reason: fields.required_text("reason", Text::Length(1, 1000)),
    }
}
