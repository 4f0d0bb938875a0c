//! Who may do what: changes and what they make of it, against a simple model of the same.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use einthoven_registry_state::{
    Access, AccessChange, AccessEvent, Change, Event, Grant, IssuerName, IssuerSettings, KeyDigest, KeySpec, OWNER_KEY,
    PasswordHash, Rate, Record, Refusal, Role, Scope, SigningAlgorithm, State, UserName,
};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// Makes a change at a second after 1970.
fn change_at(state: &mut State, second: i64, change: AccessChange) -> Result<Vec<AccessEvent>, Refusal> {
    let events = state.decide("ana", Change::Access(change))?;
    let mut made = Vec::new();
    for event in events {
        let record = Record {
            at: at(second),
            who: "ana".to_owned(),
            why: String::new(),
            event,
        };
        // Through the form it is kept in, so that nothing a fold needs can be missing there.
        let back: Record = serde_json::from_str(&serde_json::to_string(&record).unwrap()).unwrap();
        assert_eq!(back, record);
        state.apply(state.seq + 1, &back);
        let Event::Access(event) = back.event else { panic!() };
        made.push(event);
    }
    // And so does the whole of it, as the view keeps it.
    let kept = serde_json::to_string(state.access.as_ref()).unwrap();
    assert_eq!(serde_json::from_str::<Access>(&kept).unwrap(), *state.access);
    Ok(made)
}

fn change(state: &mut State, change: AccessChange) -> Result<Vec<AccessEvent>, Refusal> {
    change_at(state, 0, change)
}

fn grants(texts: &[&str]) -> Vec<Grant> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn key(id: &str, allowed: &[&str]) -> AccessChange {
    AccessChange::AddKey {
        id: id.to_owned(),
        digest: KeyDigest("00".repeat(32)),
        key: KeySpec {
            name: id.parse().unwrap(),
            grants: grants(allowed),
            rate: None,
            expires_at: None,
        },
    }
}

fn name(text: &str) -> UserName {
    text.parse().unwrap()
}

fn user(text: &str, roles: &[Role]) -> AccessChange {
    AccessChange::AddUser {
        user: name(text),
        password: PasswordHash("$argon2id$".to_owned()),
        roles: roles.to_vec(),
    }
}

fn issuer(url: &str) -> IssuerSettings {
    IssuerSettings {
        issuer: url.to_owned(),
        jwks_uri: None,
        audiences: vec!["einthoven".to_owned()],
        clients: Vec::new(),
        algorithms: vec![SigningAlgorithm::RS256],
        rules: Vec::new(),
        login: None,
        ca_file: None,
    }
}

#[test]
fn names_are_taken_once_and_what_is_not_there_is_said() {
    let mut state = State::default();
    assert!(!state.access.is_configured());
    change(&mut state, key("ci", &["predict"])).unwrap();
    change(&mut state, user("ana", &[Role::Viewer])).unwrap();
    let lab: IssuerName = "lab".parse().unwrap();
    let set = |issuer: &IssuerName, settings| AccessChange::SetIssuer {
        issuer: issuer.clone(),
        settings,
    };
    change(&mut state, set(&lab, issuer("https://a.example"))).unwrap();
    assert!(state.access.is_configured());
    assert!(matches!(
        change(&mut state, key("ci", &["label"])),
        Err(Refusal::KeyExists { .. })
    ));
    assert!(matches!(
        change(&mut state, key(OWNER_KEY, &["label"])),
        Err(Refusal::KeyExists { .. })
    ));
    assert!(matches!(
        change(&mut state, user("ana", &[])),
        Err(Refusal::UserExists { .. })
    ));
    let other: IssuerName = "other".parse().unwrap();
    let same = change(&mut state, set(&other, issuer("https://a.example")));
    assert_eq!(same, Err(Refusal::SameIssuer { issuer: lab.clone() }));
    // The same again is no change.
    assert_eq!(change(&mut state, set(&lab, issuer("https://a.example"))).unwrap(), []);
    let no_key = change(&mut state, AccessChange::RevokeKey { id: "a\nb".to_owned() }).unwrap_err();
    assert_eq!(no_key.to_string(), "there is no key `a\\nb`");
    for (gone, text) in [
        (AccessChange::RemoveUser { user: name("ben") }, "there is no user `ben`"),
        (
            AccessChange::SetRoles {
                user: name("ben"),
                roles: vec![],
            },
            "there is no user `ben`",
        ),
        (
            AccessChange::RemoveIssuer { issuer: other },
            "there is no issuer `other`",
        ),
    ] {
        assert_eq!(change(&mut state, gone).unwrap_err().to_string(), text);
    }
}

#[test]
fn fields_have_bounds() {
    let mut state = State::default();
    let refused = |change: AccessChange| match State::default().decide("ana", Change::Access(change)) {
        Err(Refusal::AccessField { field, .. }) => field,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(key("ci", &[])), "grants");
    assert_eq!(refused(key("ci", &["predict"; 101])), "grants");
    for (per_second, burst) in [
        (0.0, 1),
        (f64::NAN, 1),
        (f64::INFINITY, 1),
        (-1.0, 1),
        (1.0, 0),
        (1.0, 1_000_001),
    ] {
        let mut with = key("ci", &["predict"]);
        if let AccessChange::AddKey { key, .. } = &mut with {
            key.rate = Some(Rate { per_second, burst });
        }
        assert_eq!(refused(with), "rate");
    }
    let lab: IssuerName = "lab".parse().unwrap();
    let with = |change: fn(&mut IssuerSettings)| {
        let mut settings = issuer("https://a.example");
        change(&mut settings);
        AccessChange::SetIssuer {
            issuer: "lab".parse().unwrap(),
            settings,
        }
    };
    assert_eq!(refused(with(|settings| settings.audiences.clear())), "audiences");
    assert_eq!(refused(with(|settings| settings.algorithms.clear())), "algorithms");
    assert_eq!(refused(with(|settings| settings.issuer.clear())), "issuer");
    assert_eq!(refused(with(|settings| settings.issuer = "x".repeat(2001))), "issuer");
    let token = "t".repeat(601);
    assert_eq!(refused(AccessChange::RevokeToken { token, until: at(9) }), "token");
    assert_eq!(
        refused(AccessChange::SignOut {
            subject: "a\nb".to_owned()
        }),
        "subject"
    );
    change(
        &mut state,
        AccessChange::SetIssuer {
            issuer: lab,
            settings: issuer("https://a.example"),
        },
    )
    .unwrap();
    // HS256 and none are no algorithms here, so no settings can name them.
    for wrong in ["HS256", "none", "rs256"] {
        assert!(serde_json::from_value::<SigningAlgorithm>(wrong.into()).is_err());
    }
}

#[test]
fn the_owners_key_is_one_and_can_be_replaced() {
    let mut state = State::default();
    let set = |digit: &str| AccessChange::SetOwnerKey {
        digest: KeyDigest(digit.repeat(64)),
    };
    change_at(&mut state, 5, set("a")).unwrap();
    assert_eq!(change(&mut state, set("a")).unwrap(), []);
    let replaced = change_at(&mut state, 9, set("b")).unwrap();
    assert!(matches!(
        replaced[..],
        [AccessEvent::OwnerKeySet { replaced: true, .. }]
    ));
    assert_eq!(state.access.keys.len(), 1);
    let owner = &state.access.keys[OWNER_KEY];
    assert!(owner.grants == [Grant::all(Scope::Admin)] && owner.created_at == at(9));
    let gone = AccessChange::RevokeKey {
        id: OWNER_KEY.to_owned(),
    };
    assert_eq!(change(&mut state, gone.clone()), Err(Refusal::LastOwner));
    // A key that expires, or is for some models, does not do in its place.
    for allowed in [&["admin:heartbeat"][..], &["predict", "models.write"]] {
        change(&mut state, key(&format!("k{}", allowed.len()), allowed)).unwrap();
    }
    assert_eq!(change(&mut state, gone.clone()), Err(Refusal::LastOwner));
    change(&mut state, key("second", &["admin"])).unwrap();
    change(&mut state, gone).unwrap();
    let limit = AccessChange::ChangeKey {
        id: "second".to_owned(),
        grants: grants(&["admin"]),
        rate: None,
        expires_at: Some(at(99)),
    };
    assert_eq!(change(&mut state, limit), Err(Refusal::LastOwner));
}

#[test]
fn a_servers_key_before_counts_until_what_it_signed_has_expired() {
    let mut state = State::default();
    let publish = |server: &str, kid: &str| AccessChange::PublishSigningKey {
        server: server.to_owned(),
        kid: kid.to_owned(),
        public: "x".to_owned(),
        overlap_s: 100,
    };
    change_at(&mut state, 0, publish("one", "a")).unwrap();
    change_at(&mut state, 1, publish("two", "b")).unwrap();
    assert_eq!(change_at(&mut state, 2, publish("one", "a")).unwrap(), []);
    change_at(&mut state, 10, publish("one", "c")).unwrap();
    let until = |state: &State, kid: &str| state.access.signing.get(kid).map(|key| key.until);
    assert_eq!(until(&state, "a"), Some(Some(at(110))));
    assert_eq!((until(&state, "b"), until(&state, "c")), (Some(None), Some(None)));
    // The next rotation does not make the one before last count longer.
    change_at(&mut state, 20, publish("one", "d")).unwrap();
    assert_eq!(
        (until(&state, "a"), until(&state, "c")),
        (Some(Some(at(110))), Some(Some(at(120))))
    );
    change_at(
        &mut state,
        110,
        AccessChange::SignOut {
            subject: "user:ana".to_owned(),
        },
    )
    .unwrap();
    assert_eq!(until(&state, "a"), None, "forgotten");
    let out = state.access.signed_out("user:ana").unwrap();
    assert_eq!((out.at, out.revision), (at(110), state.seq));
}

#[test]
fn a_record_for_eyes_holds_no_hashes() {
    let mut state = State::default();
    let mut events = change(&mut state, key("ci", &["predict"])).unwrap();
    events.extend(change(&mut state, user("ana", &[Role::Owner])).unwrap());
    let password = PasswordHash("$argon2id$2".to_owned());
    events.extend(
        change(
            &mut state,
            AccessChange::SetPassword {
                user: name("ana"),
                password,
            },
        )
        .unwrap(),
    );
    let digest = KeyDigest("00".repeat(32));
    events.extend(change(&mut state, AccessChange::SetOwnerKey { digest }).unwrap());
    assert_eq!(events.len(), 4);
    for event in events {
        let printed = format!(
            "{event:?} {}",
            serde_json::to_string(&event.clone().concealed()).unwrap()
        );
        assert!(
            !printed.contains("argon2") && !printed.contains("0000") && printed.contains("concealed"),
            "{printed}"
        );
    }
}

#[derive(Debug, Clone)]
enum Move {
    AddKey(u8, bool),
    RevokeKey(u8),
    AddUser(u8, bool),
    SetRole(u8, bool),
    RemoveUser(u8),
    RevokeToken(u8, i64),
}

fn step() -> impl Strategy<Value = Move> {
    prop_oneof![
        (0..4_u8, any::<bool>()).prop_map(|(key, owner)| Move::AddKey(key, owner)),
        (0..4_u8).prop_map(Move::RevokeKey),
        (0..4_u8, any::<bool>()).prop_map(|(user, owner)| Move::AddUser(user, owner)),
        (0..4_u8, any::<bool>()).prop_map(|(user, owner)| Move::SetRole(user, owner)),
        (0..4_u8).prop_map(Move::RemoveUser),
        (0..4_u8, 1..50_i64).prop_map(|(token, lives)| Move::RevokeToken(token, lives)),
    ]
}

proptest! {
    /// Once somebody can do everything, somebody always can; and nothing is forgotten before its time.
    #[test]
    fn an_owner_stays_and_a_revoked_token_stays_revoked(steps in prop::collection::vec(step(), 200)) {
        let mut state = State::default();
        let (mut keys, mut users) = (BTreeMap::<u8, bool>::new(), BTreeMap::<u8, bool>::new());
        let mut revoked = BTreeMap::<String, i64>::new();
        let roles = |owner: bool| if owner { vec![Role::Owner] } else { vec![Role::Viewer] };
        let mut had_owner = false;
        for (step, second) in steps.into_iter().zip(0_i64..) {
            let owners = keys.values().chain(users.values()).filter(|owner| **owner).count();
            let last = |is_owner: Option<&bool>| is_owner == Some(&true) && owners == 1;
            match step {
                Move::AddKey(id, owner) => {
                    let allowed = if owner { ["admin"] } else { ["predict"] };
                    let done = change_at(&mut state, second, key(&format!("k{id}"), &allowed));
                    prop_assert_eq!(done.is_ok(), !keys.contains_key(&id));
                    keys.entry(id).or_insert(owner);
                }
                Move::RevokeKey(id) => {
                    let done = change_at(&mut state, second, AccessChange::RevokeKey { id: format!("k{id}") });
                    prop_assert_eq!(done.is_ok(), keys.contains_key(&id) && !last(keys.get(&id)));
                    if done.is_ok() {
                        keys.remove(&id);
                    }
                }
                Move::AddUser(id, owner) => {
                    let done = change_at(&mut state, second, user(&format!("u{id}"), &roles(owner)));
                    prop_assert_eq!(done.is_ok(), !users.contains_key(&id));
                    users.entry(id).or_insert(owner);
                }
                Move::SetRole(id, owner) => {
                    let set = AccessChange::SetRoles { user: name(&format!("u{id}")), roles: roles(owner) };
                    let done = change_at(&mut state, second, set);
                    prop_assert_eq!(done.is_ok(), users.contains_key(&id) && (owner || !last(users.get(&id))));
                    if done.is_ok() {
                        users.insert(id, owner);
                    }
                }
                Move::RemoveUser(id) => {
                    let done = change_at(&mut state, second, AccessChange::RemoveUser { user: name(&format!("u{id}")) });
                    prop_assert_eq!(done.is_ok(), users.contains_key(&id) && !last(users.get(&id)));
                    if done.is_ok() {
                        users.remove(&id);
                    }
                }
                Move::RevokeToken(id, lives) => {
                    let token = Access::token_id(None, &id.to_string());
                    let until = at(second) + SignedDuration::from_secs(lives);
                    change_at(&mut state, second, AccessChange::RevokeToken { token: token.clone(), until }).unwrap();
                    let known = revoked.entry(token).or_insert(0);
                    *known = (*known).max(second + lives);
                }
            }
            let access = &state.access;
            let known: BTreeSet<_> = access.keys.keys().cloned().collect();
            prop_assert_eq!(known, keys.keys().map(|id| format!("k{id}")).collect());
            prop_assert_eq!(access.users.len(), users.len());
            for (token, until) in &revoked {
                if *until > second {
                    prop_assert!(access.revoked.contains_key(token));
                }
            }
            let owns = keys.values().chain(users.values()).any(|owner| *owner);
            prop_assert!(owns || !had_owner);
            had_owner |= owns;
        }
    }
}
