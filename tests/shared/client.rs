//! The HTTP client of tests.

use std::sync::OnceLock;

use reqwest::Client;

/// One client for all tests. It keeps no connection, because each test ends with a runtime of its own, and goes nowhere by itself.
pub(crate) fn client() -> &'static Client {
    static CLIENT: OnceLock<Client> = OnceLock::new();
    CLIENT.get_or_init(|| {
        heyan::sources::install_crypto();
        let client = Client::builder().no_proxy().pool_max_idle_per_host(0);
        client.redirect(reqwest::redirect::Policy::none()).build().unwrap()
    })
}
