use super::*;

const CENSUS: Census = Census { envelopes: 7, mailboxes: 3, record_sets: 2 };
const TIME: Timestamp = Timestamp(1_000_000);

fn after(change: Census) -> Census {
    CENSUS.plus(change)
}

fn open(column: &[u8], commits: u64, high_water: Timestamp, witnessed: Option<u64>) -> Counting {
    Counting::open(ValueRef::Blob(column), commits, high_water, witnessed)
}

/// What is made of a count of the ninth commit: how many there are then, the time, and what is said of all rows and of none.
fn made_of(commits: u64, high_water: u64, witnessed: Option<u64>) -> (u64, u64, [Reckoning; 2]) {
    let open = || open(&encode(9, CENSUS, TIME), commits, Timestamp(high_water), witnessed);
    (open().commits, open().high_water.0, [CENSUS, Census::default()].map(|found| open().settle(found)))
}

#[test]
fn a_count_is_believed_at_its_own_commit_whatever_time_stands_beside_it() {
    let believed = [Reckoning::Even, Reckoning::Uneven { missing: 12, surplus: 0 }];
    for (high_water, witnessed) in [(TIME.0, Some(9)), (0, Some(9)), (u64::MAX, Some(7)), (TIME.0, None)] {
        assert_eq!(made_of(9, high_water, witnessed), (9, TIME.0, believed));
    }
}

/// It counts its commits and writes the witness and the time.
#[test]
fn what_an_older_relay_went_on_from_raises_no_alarm_and_brings_no_later_time() {
    for commits in [10, 11, 1000] {
        for (high_water, witnessed) in [
            (TIME.0, Some(commits)),
            (TIME.0 + 100, Some(commits)),
            // After a power cut, or with a witness that was lost.
            (TIME.0 + 100, Some(9)),
            (TIME.0 + 100, None),
        ] {
            assert_eq!(made_of(commits, high_water, witnessed), (commits, TIME.0, [Reckoning::Even; 2]));
        }
    }
}

#[test]
fn a_damaged_number_of_commits_is_told_and_counted_on_from_the_sound_one() {
    for bit in 0..64 {
        for (high_water, time) in [(TIME.0, TIME.0), (5, 5)] {
            for witnessed in [Some(9), Some(7), None] {
                let told = (9, time, [Reckoning::Doubtful; 2]);
                assert_eq!(made_of(9 ^ (1 << bit), high_water, witnessed), told, "bit {bit}, {witnessed:?}");
            }
        }
    }
}

#[test]
fn a_count_with_any_bit_flipped_or_of_another_length_says_nothing() {
    let good = encode(9, CENSUS, TIME);
    for bit in 0..good.len() * 8 {
        let mut bad = good;
        bad[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(decode(&bad), None, "bit {bit}");
    }
    let short = [&9_u64.to_be_bytes()[..], &sum_of(&9_u64.to_be_bytes())].concat();
    for bad in [&good[..71], &[&good[..], &[0]].concat(), &short, &[], &[0; 72]] {
        assert_eq!(decode(bad), None);
        assert_eq!(open(bad, 9, TIME, Some(9)).settle(CENSUS), Reckoning::Doubtful);
    }
    for odd in [ValueRef::Integer(7), ValueRef::Real(0.5), ValueRef::Text(b"7")] {
        assert_eq!(Counting::open(odd, 9, TIME, Some(9)).settle(CENSUS), Reckoning::Doubtful);
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
        let mut counting = open(&encode(9, CENSUS, TIME), 9, Timestamp(0), Some(9));
        assert_eq!((counting.settle(found), counting.settle(found)), (reckoning, Reckoning::Even));
        assert_eq!(counting.column(10), Some(encode(10, found, TIME)));
    }
}

#[test]
fn only_what_is_committed_is_counted() {
    let mut counting = Counting::open(ValueRef::Null, 9, TIME, Some(9));
    assert_eq!((counting.column(10), counting.settle(CENSUS)), (None, Reckoning::Even));
    (counting.change.envelopes, counting.reached) = (1, TIME.plus(7));
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
