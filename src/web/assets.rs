//! Style sheets, scripts and pictures, which are part of the program. Their addresses hold a digest of their content, so that
//! browsers keep them for good.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::LazyLock;

use axum::Router;
use axum::body::Body;
use axum::extract::Path as Segment;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::routing::get;
use include_dir::{Dir, include_dir};
use sha2::{Digest as _, Sha256};

use super::headers;

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/src/web/assets");

/// Each file's address, and each address's file.
struct Assets {
    addresses: HashMap<&'static str, String>,
    contents: HashMap<String, (&'static [u8], HeaderValue)>,
}

static ASSETS: LazyLock<Assets> = LazyLock::new(|| {
    let (mut addresses, mut contents) = (HashMap::new(), HashMap::new());
    for file in FILES.files() {
        let Some(name) = file.path().to_str() else { continue };
        let Some((stem, extension)) = name.rsplit_once('.') else { continue };
        let mut digest = String::new();
        for byte in Sha256::digest(file.contents()).iter().take(8) {
            let _ = write!(digest, "{byte:02x}");
        }
        let hashed = format!("{stem}.{digest}.{extension}");
        addresses.insert(name, format!("/assets/{hashed}"));
        contents.insert(hashed, (file.contents(), kind(file.path())));
    }
    Assets { addresses, contents }
});

/// The address of a file. A name that nothing has is an address where nothing is; a test holds every name to the files.
pub(super) fn address(name: &str) -> &'static str {
    ASSETS.addresses.get(name).map_or("/assets/missing", String::as_str)
}

pub(super) fn routes() -> Router {
    Router::new().route("/assets/{name}", get(serve))
}

async fn serve(Segment(name): Segment<String>) -> Response<Body> {
    let Some((content, kind)) = ASSETS.contents.get(&name) else {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_FOUND;
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        return response;
    };
    let mut response = Response::new(Body::from(*content));
    let fields = response.headers_mut();
    fields.insert(header::CONTENT_TYPE, kind.clone());
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    headers::of_assets(fields);
    response
}

fn kind(path: &Path) -> HeaderValue {
    HeaderValue::from_static(match path.extension().and_then(|extension| extension.to_str()) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    })
}
