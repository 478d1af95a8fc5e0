use sessionkit::SessionData;

#[derive(SessionData)]
#[session(version = 2, version = 3, migrate = upgrade)]
struct Cart {
    items: u64,
}

fn upgrade(_: u32, _: &mut sessionkit::StructMigration<'_, Cart>) -> Result<(), sessionkit::FieldError> {
    Ok(())
}

fn main() {}
