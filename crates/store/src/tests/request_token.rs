//! Request Tokens: one process each, for ever (D-5).

use reseal_lifecycle::store::{Change, Store as _, StoreError};

use super::{World, sample};

#[tokio::test]
async fn d_5_a_token_is_given_to_one_process_and_never_to_another() {
    let world = World::new().await;
    let with = |token: u8, change: Change| Change {
        request_token: Some([token; 32]),
        ..change
    };
    assert!(!world.store.request_token_exists(&[1; 32]).await.unwrap());
    let open = |token| world.store.open(with(token, sample::opening("acme", None)));
    let (one, two) = tokio::join!(open(1), open(1));
    let mut opened: Vec<_> = [one, two].into_iter().collect();
    opened.sort_by_key(Result::is_err);
    assert!(
        matches!(opened[1], Err(StoreError::RequestTokenUsed)),
        "{opened:?}"
    );
    let first = opened.swap_remove(0).unwrap();
    assert!(world.store.request_token_exists(&[1; 32]).await.unwrap());
    // The process that has it keeps it in every further step.
    let again = with(1, Change::new(first, Vec::new()));
    world.store.advance(again).await.unwrap();
    let second = world
        .store
        .open(with(2, sample::opening("rival", None)))
        .await
        .unwrap();
    let stolen = world
        .store
        .advance(with(1, Change::new(second, Vec::new())))
        .await;
    assert!(
        matches!(stolen, Err(StoreError::RequestTokenUsed)),
        "{stolen:?}"
    );
}
