//! What is taken back ends at once, in the middle of a transfer too.

use rohrpost_tests::patient::Transfer;
use rohrpost_tests::{Patient, Practice, World, content, until};

const LENGTH: usize = 64 * 1024 * 1024;
const MIDDLE: u64 = 1024 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn revoking_a_device_ends_its_transfer() {
    taken_back(|practice, _, _| {
        Box::pin(async move {
            let device = practice.devices().await.remove(0);
            practice.revoke(&device.device_id).await;
        })
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn taking_a_share_back_ends_its_transfer() {
    taken_back(|practice, patient, document| Box::pin(async move { practice.unshare(&patient, &document).await }))
        .await;
}

type Step<'a> = std::pin::Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

async fn taken_back(take_back: impl for<'a> FnOnce(&'a Practice, String, String) -> Step<'a>) {
    let world = World::start().await;
    let practice = Practice::open(&world, "practice").await;
    let (patient, id) = Patient::enrolled(&world, &practice, "Erika Beispiel").await;
    let document = practice.shared(&id, "scan.bin", &content(LENGTH, 3)).await;
    let transfer = Transfer::begun(&world, &patient, &document, 10, MIDDLE).await;
    let to = transfer.to.clone();
    assert_eq!(practice.transfers(), 1);
    take_back(&practice, id, document).await;
    until("the transfer's end", || practice.transfers() == 0).await;
    let problem = transfer.ended().await.unwrap_err();
    assert!(!problem.is_passing(), "trying again does not help: {problem:?}");
    assert!(!to.exists());
}
