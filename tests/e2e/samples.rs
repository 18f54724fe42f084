//! Every real file goes in at the safe and comes out at the patient, byte for byte.

use std::fs;

use rohrpost_tests::{Patient, Practice, World, samples};

#[tokio::test(flavor = "multi_thread")]
async fn every_sample_comes_out_as_it_went_in() {
    let world = World::start().await;
    let practice = Practice::open(&world, "practice").await;
    let (patient, id) = Patient::enrolled(&world, &practice, "Erika Beispiel").await;
    let mut sent = Vec::new();
    for file in samples::all() {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let document = practice.shared(&id, &name, &fs::read(&file).unwrap()).await;
        sent.push((file, document));
    }
    assert_eq!(patient.list().await.unwrap().len(), sent.len());
    for (number, (file, document)) in sent.iter().enumerate() {
        let to = world.place(format!("received {number}"));
        patient.get(document, &to, 1).await.unwrap();
        assert!(fs::read(&to).unwrap() == fs::read(file).unwrap(), "{} differs", file.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_document_and_odd_names_arrive_too() {
    let world = World::start().await;
    let practice = Practice::open(&world, "practice").await;
    let (patient, id) = Patient::enrolled(&world, &practice, "Erika Beispiel").await;
    for (number, name) in ["", "../../etc/passwd", "a\nb\u{202e}c", "CON", &"x".repeat(150)].into_iter().enumerate() {
        let content = vec![b'x'; number];
        let document = practice.shared(&id, name, &content).await;
        let to = world.place(format!("odd {number}"));
        patient.get(&document, &to, 1).await.unwrap();
        assert_eq!(fs::read(&to).unwrap(), content, "{name:?}");
    }
}
