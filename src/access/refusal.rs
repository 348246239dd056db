/// Why nobody is behind a request. No variant holds what was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unauthenticated {
    /// There is neither a token nor a certificate.
    #[error("the request shows neither a token nor a certificate")]
    Nothing,
    /// There is a token, and it is not good.
    #[error(transparent)]
    Token(#[from] TokenRefusal),
    /// There is a certificate, and it is not good.
    #[error(transparent)]
    Certificate(#[from] CertificateRefusal),
    /// The token is of one agency, and the certificate beside it of another.
    #[error("the token and the certificate are of two agencies")]
    TwoAgencies,
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    /// There is more than one `Authorization` field: they could mean two callers.
    #[error("there is more than one Authorization field")]
    Several,
    /// The scheme is another than Bearer.
    #[error("the Authorization field holds no bearer token")]
    NotBearer,
    /// It is not written as RFC 6750 section 2.1 has it.
    #[error("the bearer token holds characters that none has, or is too long")]
    Malformed,
    /// Nobody has this token.
    #[error("the bearer token is nobody's")]
    Unknown,
    /// It is not good yet.
    #[error("the bearer token is not good yet")]
    Early,
    /// It is not good any more.
    #[error("the bearer token has expired")]
    Expired,
    /// It is an access token that does not hold.
    #[error("the access token is refused: {0}")]
    Jwt(#[from] JwtRefusal),
}

/// Why an access token (RFC 9068) is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwtRefusal {
    /// It is not three parts of Base64url.
    #[error("it is not three parts of Base64url without padding")]
    Encoding,
    /// Its header or its payload is not a JSON object, or one with a member twice.
    #[error("its header or payload is not a JSON object whose members are there once each")]
    Json,
    /// Its header has extensions that must be understood (RFC 7515 section 4.1.11).
    #[error("its header has critical extensions")]
    Critical,
    /// It is no access token: its `typ` is not `at+jwt`.
    #[error("its typ is not at+jwt")]
    Type,
    /// Nobody whose tokens are taken has issued it.
    #[error("its issuer is none of those that are configured")]
    Issuer,
    /// Its algorithm is not one that its issuer may use.
    #[error("its alg is not one that its issuer may use")]
    Algorithm,
    /// It does not say by which key it is signed.
    #[error("it has no kid")]
    NoKeyId,
    /// Its issuer has no such key.
    #[error("its issuer has no key of its kid")]
    UnknownKey,
    /// The issuer's keys could not be read for too long.
    #[error("the keys of its issuer are not there")]
    NoKeys,
    /// The key is not for its algorithm.
    #[error("the key of its kid is not for its alg")]
    KeyOfAnotherAlgorithm,
    /// The signature is wrong.
    #[error("its signature is wrong")]
    Signature,
    /// It is for somebody else.
    #[error("its aud is somebody else")]
    Audience,
    /// It is of another signing in.
    #[error("its nonce is of another signing in")]
    Nonce,
    /// It was given to another client.
    #[error("its azp is somebody else")]
    Party,
    /// A claim that must be there is missing, or not of its type.
    #[error("its {0} is missing, or not of the right type")]
    Claim(&'static str),
    /// It has expired.
    #[error("it has expired")]
    Expired,
    /// It is not good yet.
    #[error("it is not good yet")]
    Early,
    /// It was issued in the future.
    #[error("its iat lies in the future")]
    FromTheFuture,
    /// It is good for longer than its issuer's tokens may be.
    #[error("it is good for longer than tokens of its issuer may be")]
    TooLong,
    /// It has to be bound to a certificate, and is not.
    #[error("it is not bound to a certificate, and has to be")]
    Unbound,
    /// It is bound to a certificate, and there is none.
    #[error("it is bound to a certificate, and the connection has none")]
    NoCertificate,
    /// It is bound to another certificate.
    #[error("it is bound to another certificate")]
    AnotherCertificate,
    /// It is bound to something that is not a certificate.
    #[error("it is bound to something else than a certificate")]
    UnknownBinding,
    /// It names no agency that is known.
    #[error("the claim that names the agency names none that is known")]
    Agency,
    /// It names an officer that cannot be one.
    #[error("the claim that names the officer is too long, or has control characters")]
    Officer,
}

/// Why a client certificate is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateRefusal {
    /// It cannot be read.
    #[error("the client certificate cannot be read")]
    Unreadable,
    /// It comes from nobody who may sign them.
    #[error("the client certificate comes from no authority that is trusted, or its signature is wrong")]
    UnknownAuthority,
    /// It has expired.
    #[error("the client certificate has expired")]
    Expired,
    /// It is not good yet.
    #[error("the client certificate is not good yet")]
    Early,
    /// It is revoked.
    #[error("the client certificate is revoked")]
    Revoked,
    /// Whether it is revoked cannot be known.
    #[error("no revocation list says whether the client certificate is revoked: [tls] crl needs one of each authority")]
    UnknownRevocation,
    /// The revocation list is too old to be believed.
    #[error("the revocation list has expired: whether the client certificate is revoked cannot be known")]
    OldRevocationList,
    /// It is not one of a client.
    #[error("the client certificate is for another purpose")]
    Purpose,
    /// Clients are not asked for certificates any more.
    #[error("client certificates are not taken any more")]
    NotTaken,
    /// It is good, and no agency's.
    #[error("the client certificate is good, and none of its names and neither its key are of an agency")]
    Nobodys,
    /// Its names are of several agencies.
    #[error("the names of the client certificate are of several agencies")]
    Ambiguous,
}
