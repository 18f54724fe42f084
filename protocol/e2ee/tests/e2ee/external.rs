//! The known answers in `protocol/vectors/external`: our HPKE parts against RFC 9180, our KEM against its draft.

use data_encoding::HEXLOWER;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::{X25519HkdfSha256, XWing};
use hpke::{Deserializable as _, Kem, OpModeR, PskBundle, Serializable as _};
use rand_chacha::rand_core::{TryCryptoRng, TryRng};
use rohrpost_e2ee::keys::SealingSecret;
use serde_json::Value;

/// The 64 bytes that a vector says were drawn.
struct Drawn(Vec<u8>);

impl TryRng for Drawn {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        panic!("an encapsulation draws bytes alone")
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        panic!("an encapsulation draws bytes alone")
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        out.copy_from_slice(&self.0);
        Ok(())
    }
}

impl TryCryptoRng for Drawn {}

fn cases(file: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(file).unwrap();
    file["cases"].as_array().unwrap().clone()
}

fn bytes(value: &Value) -> Vec<u8> {
    HEXLOWER.decode(value.as_str().unwrap().as_bytes()).unwrap()
}

#[test]
fn the_kem_gives_the_answers_of_its_draft() {
    let cases = cases(include_str!("../../../vectors/external/x-wing.json"));
    assert_eq!(cases.len(), 3);
    for case in cases {
        let (input, output) = (&case["input"], &case["output"]);
        let seed = bytes(&input["seed"]);
        let public = SealingSecret::from_bytes(seed.as_slice().try_into().unwrap()).public();
        assert_eq!(public.0[..], bytes(&output["pk"]));

        let key = <XWing as Kem>::PublicKey::from_bytes(&public.0).unwrap();
        let (secret, encapsulated) = XWing::encap_with_rng(&key, None, &mut Drawn(bytes(&input["eseed"]))).unwrap();
        assert_eq!(encapsulated.to_bytes()[..], bytes(&output["ct"]));
        assert_eq!(secret.0[..], bytes(&output["ss"]));

        let key = <XWing as Kem>::PrivateKey::from_bytes(&seed).unwrap();
        assert_eq!(XWing::decap(&key, None, &encapsulated).unwrap().0[..], bytes(&output["ss"]));
    }
}

#[test]
fn base_and_psk_contexts_give_the_answers_of_rfc_9180() {
    let cases = cases(include_str!("../../../vectors/external/hpke-rfc9180.json"));
    assert_eq!(cases.len(), 2);
    for case in cases {
        let (input, output) = (&case["input"], &case["output"]);
        let key = <X25519HkdfSha256 as Kem>::PrivateKey::from_bytes(&bytes(&input["skR"])).unwrap();
        let encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey::from_bytes(&bytes(&input["enc"])).unwrap();
        let psk = input["psk"].is_string().then(|| (bytes(&input["psk"]), bytes(&input["psk_id"])));
        let mode = match &psk {
            None => OpModeR::Base,
            Some((key, id)) => OpModeR::Psk(PskBundle::new(key, id).unwrap()),
        };
        let info = bytes(&input["info"]);
        let mut context =
            hpke::setup_receiver::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(&mode, &key, &encapsulated, &info)
                .unwrap();
        for one in input["ciphertexts"].as_array().unwrap() {
            assert_eq!(context.open(&bytes(&one["ct"]), &bytes(&one["aad"])).unwrap(), bytes(&output["pt"]));
        }
        let labels = input["exporter_contexts"].as_array().unwrap();
        for (label, value) in labels.iter().zip(output["exported"].as_array().unwrap()) {
            let mut exported = [0; 32];
            context.export(&bytes(label), &mut exported).unwrap();
            assert_eq!(exported[..], bytes(value));
        }
    }
}
