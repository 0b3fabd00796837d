#![allow(clippy::unwrap_used)]
use super::{
    reread::{AFTER_START_MS, REREAD_BACK_MS, REREAD_DEEP_BACK_MS},
    rhythm::{BEFORE_END_MS, HOUR_MS, MINUTE_MS, SECOND_MS},
    *,
};

const DAY_MS: i64 = 24 * HOUR_MS;
const MAKES: Capabilities = Capabilities {
    makes_codes: true,
    observes_orders: true,
    lists_credits: false,
    rereads: false,
    cancels: true,
    enforces_amount: true,
    shares_limit: false,
    currency: "VND",
    amount_minor_max: 1,
};
const LISTS: Capabilities = Capabilities {
    makes_codes: false,
    observes_orders: false,
    lists_credits: true,
    rereads: true,
    cancels: false,
    enforces_amount: false,
    shares_limit: true,
    currency: "VND",
    amount_minor_max: 1,
};

/// Asks until `until_ms`, each answered by `answer`; the times of the questions.
fn run(
    schedule: &mut Schedule,
    until_ms: i64,
    mut answer: impl FnMut(&Job, i64) -> Outcome,
) -> Vec<(i64, Job)> {
    let mut asked = Vec::new();
    let mut now_ms = 0;
    while let Some(next) = schedule.next_ms() {
        now_ms = next.max(now_ms);
        if now_ms > until_ms {
            break;
        }
        if let Some(job) = schedule.take(now_ms) {
            let outcome = answer(&job, now_ms);
            schedule.done(&job, &outcome, now_ms, 50);
            asked.push((now_ms, job));
        }
    }
    asked
}

#[test]
fn an_open_order_is_asked_about_less_and_less_and_a_last_time_at_the_end() {
    // Proves the published rhythm, and that the end of the late window is always looked at.
    let mut schedule = Schedule::new(MAKES, 10);
    schedule.add("A", 0, DAY_MS, 0);
    let asked = run(&mut schedule, DAY_MS + 2 * SECOND_MS, |job, _| match job {
        Job::Create(_) => Outcome::Made,
        _ => Outcome::Answered { closed: false },
    });
    assert_eq!(asked[0], (0, Job::Create("A".into())));
    let in_first_minute = asked.iter().filter(|(at, _)| *at < MINUTE_MS).count();
    assert_eq!(in_first_minute, 60);
    let (last, _) = asked.last().unwrap();
    assert!((DAY_MS..=DAY_MS + 2 * SECOND_MS).contains(last), "{last}");
    assert!(schedule.is_over("A"));
}

#[test]
fn the_limit_of_the_account_holds_for_all_its_kiosks() {
    // Proves that 20 kiosks with open offers cost one list, 3 questions a second at most, and are all covered.
    let mut schedule = Schedule::new(LISTS, 3);
    for kiosk in 0..20 {
        schedule.add(&format!("K{kiosk}"), 0, DAY_MS, 0);
    }
    let asked = run(&mut schedule, 10 * SECOND_MS, |_, at| {
        if at < 2 * SECOND_MS {
            Outcome::More
        } else {
            Outcome::Answered { closed: false }
        }
    });
    for window in asked.windows(4) {
        assert!(window[3].0 - window[0].0 >= SECOND_MS, "{window:?}");
    }
    let side = schedule.bank_side("K7", 10 * SECOND_MS);
    assert!(side.asked_ago_ms.unwrap() <= 1_000);
    assert_eq!(side.health, BankHealth::Ok);
}

#[test]
fn a_pause_the_provider_asks_for_is_kept_and_said() {
    // Proves that Retry-After stops every question of the account, and that "slow" then "unreachable" are said.
    let mut schedule = Schedule::new(MAKES, 10);
    schedule.add("A", 0, DAY_MS, 0);
    assert_eq!(schedule.bank_side("A", 0).health, BankHealth::NotAsked);
    let job = schedule.take(0).unwrap();
    let busy = Outcome::Failed(ProviderError::Busy {
        status: 429,
        retry_after_ms: Some(7_000),
    });
    schedule.done(&job, &busy, 10, 10);
    assert_eq!(schedule.bank_side("A", 20).health, BankHealth::Slow);
    schedule.add("B", 100, DAY_MS, 100);
    assert_eq!(schedule.take(7_009), None);
    assert_eq!(
        schedule.bank_side("A", 7_009).health,
        BankHealth::Unreachable
    );
    // The create may have arrived: the next question about A is a look.
    let jobs: Vec<Job> = [7_010, 7_200]
        .iter()
        .filter_map(|at| schedule.take(*at))
        .collect();
    assert_eq!(jobs, [Job::Create("B".into()), Job::Observe("A".into())]);
}

#[test]
fn a_silent_provider_is_asked_for_ever_with_longer_pauses() {
    // Proves that a day of silence ends no watch and that pauses stay bounded.
    let mut schedule = Schedule::new(MAKES, 10);
    schedule.add("A", 0, DAY_MS, 0);
    let asked = run(&mut schedule, 2 * DAY_MS, |_, _| {
        Outcome::Failed(ProviderError::Silent("cut".into()))
    });
    assert!(asked.last().unwrap().0 > 2 * DAY_MS - MINUTE_MS);
    for pair in asked.windows(2) {
        assert!(
            pair[1].0 - pair[0].0 <= BACKOFF_MS_MAX + BACKOFF_MS,
            "{pair:?}"
        );
    }
    assert!(!schedule.is_over("A"));
}

#[test]
fn a_withdrawal_goes_before_open_orders() {
    // Proves that a cancel is the next question however many open orders are due.
    let mut schedule = Schedule::new(MAKES, 10);
    for order in 0..50 {
        schedule.add(&format!("W{order:02}"), 0, DAY_MS, 0);
    }
    for turn in 0..50 {
        let job = schedule.take(turn * 100).unwrap();
        schedule.done(&job, &Outcome::Made, turn * 100, 1);
    }
    schedule.cancel("W49", 60_000);
    assert_eq!(schedule.take(60_000), Some(Job::Cancel("W49".into())));
    schedule.done(
        &Job::Cancel("W49".into()),
        &Outcome::Answered { closed: true },
        60_050,
        50,
    );
    schedule.forget("W49");
    assert_eq!(schedule.watched(), 49);
}

/// An order as it is on disk, paid a moment after it was made at 0.
fn paid_on_disk(code: &str) -> crate::relay::Order {
    use crate::relay::{
        AccountId,
        judge::Counted,
        ledger::{Order, OrderCreditRow},
        provider::Made,
    };
    Order {
        code: code.into(),
        account: AccountId(1),
        device: "kiosk".into(),
        attempt: "1".into(),
        amount_minor: 5_000,
        currency: "VND".into(),
        created_ms: 0,
        open_until_ms: None,
        watch_until_ms: DAY_MS,
        asked: true,
        made: Some(Made {
            qr: "qr".into(),
            payee: touchpoint::relay::OrderPayee {
                bank_bin: "970436".into(),
                account: "1".into(),
                name: "N".into(),
            },
        }),
        refused: None,
        withdrawn: false,
        cancelled: false,
        ended: false,
        credits: vec![(
            OrderCreditRow {
                reference: "FT1".into(),
                at_ms: 1_000,
                seen_ms: 1_000,
            },
            Counted {
                amount_minor: 5_000,
                late: false,
            },
        )],
        events: 2,
    }
}

/// Paid orders are closed at the provider, others are not.
fn closed_when_paid(job: &Job, _: i64) -> Outcome {
    match job {
        Job::Create(_) => Outcome::Made,
        Job::Observe(order) => Outcome::Answered {
            closed: order.starts_with('P'),
        },
        _ => Outcome::Answered { closed: false },
    }
}

#[test]
fn watching_has_its_share_however_many_shoppers_there_are() {
    // Proves that twenty paid orders are looked at within 15 s of their time while fresh orders ask for six times what
    // the account may, and that the fresh ones still get four questions of five.
    let mut schedule = Schedule::new(MAKES, 10);
    for order in 0..20 {
        schedule.add(&format!("P{order:02}"), 0, DAY_MS, 0);
    }
    let rush_ms = 9 * MINUTE_MS;
    for order in 0..60 {
        schedule.add(&format!("R{order:02}"), rush_ms, rush_ms + DAY_MS, rush_ms);
    }
    let asked = run(&mut schedule, 12 * MINUTE_MS, closed_when_paid);
    let due_ms = 10 * MINUTE_MS;
    let looked: BTreeSet<&Job> = asked
        .iter()
        .filter(|(at, job)| {
            (due_ms..due_ms + 15 * SECOND_MS).contains(at)
                && matches!(job, Job::Observe(order) if order.starts_with('P'))
        })
        .map(|(_, job)| job)
        .collect();
    assert_eq!(looked.len(), 20, "{looked:?}");
    let fresh = asked
        .iter()
        .filter(|(at, job)| {
            (due_ms..due_ms + 10 * SECOND_MS).contains(at)
                && matches!(job, Job::Observe(order) if order.starts_with('R'))
        })
        .count();
    assert_eq!(fresh, 80);
}

#[test]
fn a_restart_skips_no_look() {
    // Proves that a look that was due before a restart is made after it, though head office restarts every five minutes
    // for a day, each time two minutes after asking stopped.
    let looks_ms = [10 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS];
    let mut asked = Vec::new();
    let mut up_ms = 2 * MINUTE_MS;
    while up_ms < DAY_MS {
        let mut schedule = Schedule::new(MAKES, 10);
        schedule.resume(&paid_on_disk("P"), 0, up_ms);
        let mut now_ms = up_ms;
        while let Some(next) = schedule.next_ms() {
            now_ms = next.max(now_ms);
            if now_ms >= up_ms + 3 * MINUTE_MS {
                break;
            }
            let job = schedule.take(now_ms).unwrap();
            schedule.done(&job, &Outcome::Answered { closed: true }, now_ms, 50);
            asked.push(now_ms);
        }
        up_ms += 5 * MINUTE_MS;
    }
    for due_ms in looks_ms {
        assert!(
            asked
                .iter()
                .any(|at| (due_ms..due_ms + 5 * MINUTE_MS).contains(at)),
            "no look after {due_ms}: {asked:?}"
        );
    }
}

#[test]
fn an_order_is_looked_at_shortly_before_its_window_ends_and_just_after() {
    // Proves the rhythm of a paid order, and that its two last looks are made in a rush too.
    let mut schedule = Schedule::new(MAKES, 10);
    schedule.add("P", 0, DAY_MS, 0);
    let rush_ms = DAY_MS - 40 * MINUTE_MS;
    for wave in 0..5 {
        for order in 0..30 {
            let at_ms = rush_ms + wave * 10 * MINUTE_MS;
            schedule.add(&format!("R{wave}{order:02}"), at_ms, at_ms + DAY_MS, at_ms);
        }
    }
    let asked = run(&mut schedule, DAY_MS + 5 * MINUTE_MS, closed_when_paid);
    let looked: Vec<i64> = asked
        .iter()
        .filter(|(_, job)| *job == Job::Observe("P".into()))
        .map(|(at, _)| *at)
        .collect();
    let due = [
        SECOND_MS,
        10 * MINUTE_MS,
        HOUR_MS,
        6 * HOUR_MS,
        DAY_MS - 30 * MINUTE_MS,
        DAY_MS + SECOND_MS,
    ];
    for (index, due_ms) in due.iter().enumerate() {
        let at = looked.get(index).copied().unwrap_or_default();
        assert!(
            (*due_ms..due_ms + 2 * SECOND_MS).contains(&at),
            "look {index}: {looked:?}"
        );
    }
}

#[test]
fn restarts_close_on_each_other_keep_no_order_from_its_look_before_the_end() {
    // Proves that of 300 orders whose windows end three seconds apart every one is looked at in its last half hour and
    // after it, though head office has time for only thirty questions before it restarts, and each restart knows nothing
    // of the last.
    let begin_ms = DAY_MS - BEFORE_END_MS;
    let end_ms = |number: i64| DAY_MS + number * 3 * SECOND_MS;
    let mut open: BTreeMap<String, super::super::Order> = (0..300_i64)
        .map(|number| {
            // Named against the order of their ends: a tie is not broken the right way by chance.
            let mut order = paid_on_disk(&format!("P{:03}", 999 - number));
            order.created_ms = end_ms(number) - DAY_MS;
            order.watch_until_ms = end_ms(number);
            (order.code.clone(), order)
        })
        .collect();
    let mut looked: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    let mut up_ms = begin_ms + 16 * MINUTE_MS;
    while !open.is_empty() && up_ms < DAY_MS + HOUR_MS {
        let mut schedule = Schedule::new(MAKES, 1);
        for order in open.values() {
            schedule.resume(order, 0, up_ms);
        }
        for turn in 0..30 {
            let now_ms = up_ms + turn * SECOND_MS;
            let Some(job) = schedule.take(now_ms) else {
                continue;
            };
            schedule.done(&job, &Outcome::Answered { closed: true }, now_ms, 50);
            if let Job::Observe(order) = job {
                if schedule.is_over(&order) {
                    // As `Relay::step` does: on disk, so no restart asks again.
                    open.remove(&order);
                }
                looked.entry(order).or_default().push(now_ms);
            }
        }
        up_ms += 31 * SECOND_MS;
    }
    for number in 0..300 {
        let at_ms = &looked[&format!("P{:03}", 999 - number)];
        let end_ms = end_ms(number);
        let before = end_ms - BEFORE_END_MS..=end_ms;
        assert!(
            at_ms.iter().any(|at| before.contains(at)),
            "{number}: {at_ms:?}"
        );
        assert!(at_ms.iter().any(|at| *at > end_ms), "{number}: {at_ms:?}");
    }
}

#[test]
fn what_arrived_lately_is_read_again_and_once_an_hour_the_whole_window() {
    // Proves that after a start the whole window is read again page by page, then its newest part every minute while
    // offers are fresh, the whole once an hour, and that the list that finds money first is not slowed by it.
    let mut schedule = Schedule::new(LISTS, 3);
    schedule.add("A", 0, DAY_MS, 0);
    let asked = run(&mut schedule, 2 * HOUR_MS + MINUTE_MS, |job, _| match job {
        Job::Reread { page, back_ms } if *page < 2 && *back_ms == REREAD_DEEP_BACK_MS => {
            Outcome::More
        }
        _ => Outcome::Answered { closed: false },
    });
    let reread = |deep: bool| {
        asked
            .iter()
            .filter_map(|(at, job)| match job {
                Job::Reread { page, back_ms } if (*back_ms == REREAD_DEEP_BACK_MS) == deep => {
                    Some((*at, *page))
                }
                _ => None,
            })
            .collect::<Vec<_>>()
    };
    let deep = reread(true);
    assert_eq!(deep.len(), 9, "{deep:?}");
    for (index, (at_ms, page)) in deep.iter().enumerate() {
        let hour = i64::try_from(index / 3).unwrap();
        assert_eq!(usize::try_from(*page).unwrap(), index % 3);
        assert!(
            (hour * HOUR_MS..hour * HOUR_MS + 5 * SECOND_MS).contains(at_ms),
            "{deep:?}"
        );
    }
    let minutes = reread(false);
    let in_fresh_time = minutes
        .iter()
        .filter(|(at, _)| *at < 15 * MINUTE_MS)
        .count();
    assert_eq!(in_fresh_time, 14, "{minutes:?}");
    let lists = asked
        .iter()
        .filter(|(at, job)| *job == Job::List && *at < MINUTE_MS)
        .count();
    assert!(lists >= 59, "{lists}");
}

#[test]
fn a_rush_of_shoppers_does_not_keep_what_arrived_lately_from_being_read() {
    // Proves that with more questions due than the account allows the newest transfers are still read every minute or so.
    let can = Capabilities {
        rereads: true,
        ..MAKES
    };
    let mut schedule = Schedule::new(can, 10);
    for order in 0..100 {
        schedule.add(&format!("R{order:02}"), 0, DAY_MS, 0);
    }
    let asked = run(&mut schedule, 5 * MINUTE_MS, closed_when_paid);
    let rereads: Vec<i64> = asked
        .iter()
        .filter(|(_, job)| matches!(job, Job::Reread { .. }))
        .map(|(at, _)| *at)
        .collect();
    assert!(rereads.len() >= 4, "{rereads:?}");
    for pair in rereads.windows(2) {
        assert!(
            pair[1] - pair[0] <= MINUTE_MS + 2 * SECOND_MS,
            "{rereads:?}"
        );
    }
}

#[test]
fn after_a_long_stop_the_whole_of_it_is_read() {
    // Proves that what came in while head office was off for a week is read at its start, page by page, before the usual
    // looks go on, and that the shoppers who wait come first.
    let mut schedule = Schedule::new(LISTS, 3);
    let week_ms = 7 * DAY_MS;
    schedule.started(0, week_ms);
    assert_eq!(schedule.take(0), Some(Job::List));
    schedule.done(&Job::List, &Outcome::Answered { closed: false }, 50, 50);
    assert_eq!(schedule.take(4_999), None);
    for page in 0..3 {
        let at_ms = AFTER_START_MS + i64::from(page) * SECOND_MS;
        let job = schedule.take(at_ms).unwrap();
        let back_ms = REREAD_DEEP_BACK_MS + week_ms;
        assert_eq!(job, Job::Reread { page, back_ms });
        let outcome = match page {
            2 => Outcome::Answered { closed: false },
            _ => Outcome::More,
        };
        schedule.done(&job, &outcome, at_ms, 1);
    }
    let next_ms = schedule.next_ms().unwrap();
    assert!(next_ms > AFTER_START_MS + 3 * SECOND_MS, "{next_ms}");
}

#[test]
fn a_refused_rereading_is_asked_for_less() {
    // Proves that a provider that refuses to read so far back is asked for less a minute later, not twice a second for
    // ever, and that a silent one is asked the same again.
    let mut schedule = Schedule::new(LISTS, 3);
    schedule.started(0, 7 * DAY_MS);
    let mut back = Vec::new();
    let asked = run(&mut schedule, 5 * MINUTE_MS, |job, _| match job {
        Job::Reread { back_ms, .. } => {
            back.push(*back_ms);
            Outcome::Failed(match back.len() {
                1 => ProviderError::Silent("cut".into()),
                _ => ProviderError::Refused("HTTP 400".into()),
            })
        }
        _ => Outcome::Answered { closed: false },
    });
    let long_ms = REREAD_DEEP_BACK_MS + 7 * DAY_MS;
    assert_eq!(
        back[..4],
        [long_ms, long_ms, REREAD_DEEP_BACK_MS, REREAD_BACK_MS]
    );
    assert!(back.len() <= 8, "{back:?}");
    assert!(asked.iter().any(|(_, job)| *job == Job::List));
}

#[test]
fn a_list_that_is_always_due_does_not_keep_late_rows_away() {
    // Proves that where the list alone could take every question, as when many accounts share one limit all day long,
    // what the bank told late is read again about once a minute all the same.
    let mut schedule = Schedule::new(LISTS, 1);
    schedule.started(0, 0);
    let mut rereads = 0;
    for now_ms in (0..10 * MINUTE_MS).step_by(1_000) {
        if now_ms % (30 * SECOND_MS) == 0 {
            schedule.note_offer(now_ms, now_ms);
        }
        let job = schedule.take(now_ms).unwrap();
        rereads += u32::from(job != Job::List);
        schedule.done(&job, &Outcome::Answered { closed: false }, now_ms, 1);
    }
    assert!((9..=12).contains(&rereads), "{rereads}");
}
