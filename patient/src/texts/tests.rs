use super::*;

#[test]
fn a_wrong_pin_says_how_many_tries_are_left() {
    let sentence = |left| problem(&LinkProblem::WrongPin { left }.into());
    assert!(sentence(4).contains("4 tries are left"));
    assert!(sentence(1).contains("One try is left"));
    assert!(sentence(0).contains("last try"));
}

#[test]
fn an_absent_safe_is_named_with_the_next_step() {
    let away = VisitError::Ask(AskError::Refused(ErrorCode::Away));
    let sentence = problem(&away.into());
    assert!(sentence.starts_with("The practice's data-safe is not connected right now."));
    assert!(sentence.contains("not lost; try again later"));
    let unanswered = problem(&LinkProblem::Unanswered(VisitError::Ask(AskError::Lost)).into());
    assert!(unanswered.contains("run the same command again"));
}

#[test]
fn an_altered_answer_is_never_called_an_interruption_and_a_cut_line_is_nothing_else() {
    let told = |error: VisitError| retrying(&error.into(), 1.0, 2, 10);
    let line = told(AskError::Lost.into());
    assert!(line.starts_with("The connection was interrupted. Trying again in 1 s"), "{line}");
    let altered = [VisitError::Open, AskError::Misbehaved.into(), TrustError::RolledBack.into()];
    for error in altered {
        assert!(error.is_alteration());
        assert!(!told(error).contains("interrupted"), "{}", told(error));
        assert!(!problem(&error.into()).contains("interrupted"));
    }
    assert!(told(VisitError::Open).contains("altered on its way") && ALTERED.contains("altered on its way"));
}

#[test]
fn names_from_outside_cannot_steer_a_terminal() {
    let taken = Problem::AlreadyEnrolled { home: "/home\u{1b}[2J".into(), practice: "P\u{202e}".into() };
    for text in [problem(&taken), accepted("a\u{1b}", "b\r", Path::new("c\u{7f}")), saved(Path::new("x\u{9b}"), "1 B")]
    {
        assert!(!text.replace('\n', "").chars().any(char::is_control) && !text.contains('\u{202e}'), "{text:?}");
    }
}

#[test]
fn an_enrolled_device_says_where_its_keys_lie() {
    let sentence = accepted("P", "E", Path::new("/home/e/account"));
    assert!(sentence.contains("/home/e/account") && sentence.contains("no other protection"), "{sentence}");
    assert_eq!(sentence.contains("0600"), cfg!(unix));
}

#[test]
fn a_full_disk_is_told_with_the_folder_and_the_next_step() {
    let full = std::io::Error::from(ErrorKind::StorageFull);
    let sentence = problem(&PartialError::Disk("/data/.x.rohrpost-part".into(), full).into());
    assert!(sentence.starts_with("/data cannot be used: the disk is full."), "{sentence}");
    assert!(sentence.contains("Make room"));
}
