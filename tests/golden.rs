//! What PyTorch computes on its own samples, operation by operation: values, vector-Jacobian and Jacobian-vector
//! products and the second order, by every route through this engine. `golden/README.md` says where the cases come
//! from; the table of an operation's file says how its call is written here.

#[path = "golden/call.rs"]
mod call;
#[path = "golden/compare.rs"]
mod compare;
#[path = "golden/convolution.rs"]
mod convolution;
#[path = "golden/elementwise.rs"]
mod elementwise;
#[path = "golden/excuses.rs"]
mod excuses;
#[path = "golden/indexing.rs"]
mod indexing;
#[path = "golden/layers.rs"]
mod layers;
#[path = "golden/linalg.rs"]
mod linalg;
#[path = "golden/losses.rs"]
mod losses;
#[path = "golden/order.rs"]
mod order;
#[path = "golden/parts.rs"]
mod parts;
#[path = "golden/porting.rs"]
mod porting;
#[path = "golden/products.rs"]
mod products;
#[path = "golden/programs.rs"]
mod programs;
#[path = "golden/reader.rs"]
mod reader;
#[path = "golden/reductions.rs"]
mod reductions;
#[path = "golden/shapes.rs"]
mod shapes;
#[path = "golden/special.rs"]
mod special;

use call::Op;
use compare::Outcome;
use excuses::EXCUSES;
use std::collections::BTreeMap;

/// The operations, a table for each family.
const TABLES: [&[(&str, Op)]; 12] = [
    convolution::TABLE,
    elementwise::TABLE,
    indexing::TABLE,
    layers::TABLE,
    linalg::TABLE,
    losses::TABLE,
    order::TABLE,
    parts::TABLE,
    products::TABLE,
    reductions::TABLE,
    shapes::TABLE,
    special::TABLE,
];

fn operation(case: &reader::Case) -> Option<Op> {
    let find =
        |table: &[(&str, Op)], name: &str| table.iter().find(|entry| entry.0 == name).map(|entry| entry.1);
    find(programs::TABLE, &case.id).or_else(|| TABLES.iter().find_map(|table| find(table, &case.op)))
}

/// A list of names with how often each is met.
fn counted(names: &BTreeMap<&str, usize>) -> String {
    names.iter().map(|(name, n)| format!("{name} {n}")).collect::<Vec<_>>().join(", ")
}

#[test]
fn every_case_agrees_or_differs_for_a_reason() {
    let golden = reader::Golden::read();
    let (mut ran, mut parts, mut agree, mut excused) = (0, 0, 0, 0);
    let (mut missing, mut forms) = (BTreeMap::new(), BTreeMap::new());
    // Nothing is excused in cases from elsewhere.
    let elsewhere = reader::elsewhere().is_some();
    let excuses = if elsewhere { &[] } else { EXCUSES };
    let (mut wrong, mut used) = (Vec::new(), vec![false; excuses.len()]);
    for case in &golden.cases {
        let Some(op) = operation(case) else {
            *missing.entry(case.op.as_str()).or_default() += 1;
            continue;
        };
        let (compared, found) = match compare::run(&golden, case, op) {
            Outcome::Ran(compared, found) => (compared, found),
            Outcome::NoForm(reason) => {
                *forms.entry(reason).or_default() += 1;
                if elsewhere {
                    println!("{}: no form, {reason}", case.id);
                }
                continue;
            }
        };
        (ran, parts) = (ran + 1, parts + compared);
        let seen = compare::summary(&found);
        let excuse = excuses.iter().position(|(id, _, _)| *id == case.id);
        match excuse {
            None if found.is_empty() => agree += 1,
            Some(at) if excuses[at].1 == seen => {
                excused += 1;
                used[at] = true;
            }
            _ => {
                let expected = excuse.map_or("", |at| excuses[at].1);
                wrong.push(format!("{}: {seen}, expected: {expected}", case.id));
                wrong.extend(found.iter().map(|d| format!("    {} {}: {}", d.part, d.route, d.first)));
            }
        }
    }
    println!("Missing: {}.\n", counted(&missing));
    println!("Forms that are missing: {}.\n", counted(&forms));
    let (absent, formless): (usize, usize) = (missing.values().sum(), forms.values().sum());
    println!(
        "{agree} cases agree, {excused} differ for a reason, {formless} have a form and {absent} an operation that is missing."
    );
    println!("{ran} cases run, {parts} parts compared.");
    if elsewhere {
        assert!(wrong.is_empty(), "{} lines:\n{}", wrong.len(), wrong.join("\n"));
        return;
    }
    let here = porting::operations();
    let left_out: Vec<_> = missing.keys().filter(|op| here.contains(porting::on_the_page(op))).collect();
    assert!(left_out.is_empty(), "these exist, and no table under tests/golden runs them: {left_out:?}");
    let unused: Vec<_> = excuses.iter().zip(used).filter(|(_, used)| !used).map(|(e, _)| e.0).collect();
    assert!(wrong.is_empty(), "{} lines:\n{}", wrong.len(), wrong.join("\n"));
    assert!(unused.is_empty(), "these agree and need no reason any more: {unused:?}");
}

/// What differs in a case if the operation were this one.
fn differs(id: &str, op: Op) -> String {
    let golden = reader::Golden::read();
    let case = golden.cases.iter().find(|case| case.id == id).unwrap();
    match compare::run(&golden, case, op) {
        Outcome::Ran(_, found) => compare::summary(&found),
        Outcome::NoForm(reason) => panic!("{reason}"),
    }
}

#[test]
fn a_wrong_operation_is_caught_in_the_part_that_is_wrong() {
    // Right; another value; a derivative cut off; wrong at order 2 alone; not to be had.
    assert_eq!(differs("cos/2", |c| Ok(c.x()?.cos().into())), "");
    // Near a zero of the derivative a relative change of it is below the tolerance.
    assert!(differs("cos/2", |c| Ok((c.x()?.cos() * (1.0 + 1e-10)).into())).starts_with("out=12 grad="));
    assert_eq!(differs("cos/2", |c| Ok(c.x()?.detach().cos().into())), "grad=12 jvp=12 gg=12");
    assert_eq!(
        differs("cos/2", |c| Ok({
            let x = c.x()?;
            x.cos() + (x - x.detach()).square()
        }
        .into())),
        "gg=12"
    );
    assert_eq!(differs("cos/2", |c| Ok(c.x()?.cos().reshape([5]).into())), "out=1");
}
