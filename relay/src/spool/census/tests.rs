use super::*;

const CENSUS: Census = Census { envelopes: 7, mailboxes: 3, record_sets: 2 };
const TIME: Timestamp = Timestamp(1_000_000);

fn after(change: Census) -> Census {
    CENSUS.plus(change)
}

#[test]
fn a_count_is_believed_at_its_own_commit_and_nowhere_else() {
    let column = encode(9, CENSUS, TIME);
    assert_eq!(decode(&column, 9), Counted::Says(CENSUS, TIME));
    for other in [0, 8, 10] {
        assert_eq!(decode(&column, other), Counted::Nothing);
    }
}

#[test]
fn a_count_with_any_bit_flipped_or_of_another_length_says_nothing() {
    let good = encode(9, CENSUS, TIME);
    for bit in 0..good.len() * 8 {
        let mut bad = good;
        bad[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(decode(&bad, 9), Counted::Unreadable, "bit {bit}");
    }
    let short = [&9_u64.to_be_bytes()[..], &sum_of(&9_u64.to_be_bytes())].concat();
    for bad in [&good[..71], &[&good[..], &[0]].concat(), &short, &[], &[0; 72]] {
        assert_eq!(decode(bad, 9), Counted::Unreadable);
    }
    for odd in [ValueRef::Integer(7), ValueRef::Real(0.5), ValueRef::Text(b"7")] {
        assert_eq!(Counting::open(odd, 9, TIME).settle(CENSUS), Reckoning::Doubtful);
    }
}

#[test]
fn fewer_and_more_rows_are_told_by_table_and_once() {
    let (one, two) = (Census { envelopes: -1, ..Census::default() }, Census { record_sets: 2, ..Census::default() });
    for (found, reckoning) in [
        (CENSUS, Reckoning::Even),
        (after(one), Reckoning::Uneven { missing: 1, surplus: 0 }),
        (after(two), Reckoning::Uneven { missing: 0, surplus: 2 }),
        (after(one.plus(two)), Reckoning::Uneven { missing: 1, surplus: 2 }),
        (Census::default(), Reckoning::Uneven { missing: 12, surplus: 0 }),
    ] {
        let mut counting = Counting::open(ValueRef::Blob(&encode(9, CENSUS, TIME)), 9, Timestamp(0));
        assert_eq!((counting.settle(found), counting.settle(found)), (reckoning, Reckoning::Even));
        assert_eq!(counting.column(10), Some(encode(10, found, TIME)));
    }
}

#[test]
fn only_what_is_committed_is_counted() {
    let mut counting = Counting::open(ValueRef::Null, 9, TIME);
    assert_eq!((counting.column(10), counting.settle(CENSUS)), (None, Reckoning::Even));
    counting.change.envelopes += 1;
    counting.begin();
    counting.change.mailboxes -= 1;
    let closed = after(Census { mailboxes: -1, ..Census::default() });
    assert_eq!(counting.column(10), Some(encode(10, closed, TIME)));
    counting.confirm();
    assert_eq!((counting.column(11), counting.settle(closed)), (Some(encode(11, closed, TIME)), Reckoning::Even));
}

#[test]
fn what_is_hidden_is_counted_and_nothing_else() {
    let metrics = Metrics::default();
    for reckoning in [Reckoning::Even, Reckoning::Doubtful, Reckoning::Uneven { missing: 0, surplus: 5 }] {
        tell(Path::new("spool.db"), reckoning, &metrics);
    }
    assert_eq!(metrics.hidden.read(), 0);
    tell(Path::new("spool.db"), Reckoning::Uneven { missing: 3, surplus: 5 }, &metrics);
    assert_eq!(metrics.hidden.read(), 3);
}
