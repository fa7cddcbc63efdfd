//! What goes wrong in the gateway itself, by the type of gateway response that answers it ("Gateway
//! response types for API Gateway", API Gateway guide).

/// The response types that occur here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResponseType {
    AccessDenied,
    ApiConfigurationError,
    AuthorizerConfigurationError,
    AuthorizerFailure,
    BadRequestBody,
    BadRequestParameters,
    Default5xx,
    IntegrationFailure,
    IntegrationTimeout,
    InvalidApiKey,
    MissingAuthenticationToken,
    QuotaExceeded,
    RequestTooLarge,
    Throttled,
    Unauthorized,
    UnsupportedMediaType,
    /// Headers over API Gateway's limit; no type of its own, so it is `DEFAULT_4XX` with 431.
    HeadersTooLarge,
}

/// An error of the gateway's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) kind: ResponseType,
    /// Empty where API Gateway says `null`.
    pub(super) message: String,
    /// What request validation found.
    pub(super) validation: Option<String>,
}

impl Fault {
    pub(super) fn new(kind: ResponseType) -> Self {
        Self {
            kind,
            message: kind.message().to_owned(),
            validation: None,
        }
    }

    /// What `$context.error.message` says.
    pub(super) fn said(&self) -> Option<&str> {
        Some(self.message.as_str()).filter(|message| !message.is_empty())
    }
}

impl ResponseType {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::AccessDenied => "ACCESS_DENIED",
            Self::ApiConfigurationError => "API_CONFIGURATION_ERROR",
            Self::AuthorizerConfigurationError => "AUTHORIZER_CONFIGURATION_ERROR",
            Self::AuthorizerFailure => "AUTHORIZER_FAILURE",
            Self::BadRequestBody => "BAD_REQUEST_BODY",
            Self::BadRequestParameters => "BAD_REQUEST_PARAMETERS",
            Self::Default5xx => "DEFAULT_5XX",
            Self::IntegrationFailure => "INTEGRATION_FAILURE",
            Self::IntegrationTimeout => "INTEGRATION_TIMEOUT",
            Self::InvalidApiKey => "INVALID_API_KEY",
            Self::MissingAuthenticationToken => "MISSING_AUTHENTICATION_TOKEN",
            Self::QuotaExceeded => "QUOTA_EXCEEDED",
            Self::RequestTooLarge => "REQUEST_TOO_LARGE",
            Self::Throttled => "THROTTLED",
            Self::Unauthorized => "UNAUTHORIZED",
            Self::UnsupportedMediaType => "UNSUPPORTED_MEDIA_TYPE",
            Self::HeadersTooLarge => "DEFAULT_4XX",
        }
    }

    /// The status where the template does not say another.
    pub(super) fn status(self) -> u16 {
        match self {
            Self::AccessDenied | Self::InvalidApiKey | Self::MissingAuthenticationToken => 403,
            // Of a function that is throttled, among them.
            Self::ApiConfigurationError
            | Self::AuthorizerConfigurationError
            | Self::AuthorizerFailure
            | Self::IntegrationFailure => 500,
            Self::BadRequestBody | Self::BadRequestParameters => 400,
            Self::Default5xx => 502,
            Self::IntegrationTimeout => 504,
            Self::QuotaExceeded | Self::Throttled => 429,
            Self::RequestTooLarge => 413,
            Self::Unauthorized => 401,
            Self::UnsupportedMediaType => 415,
            Self::HeadersTooLarge => 431,
        }
    }

    /// What `x-amzn-ErrorType` says of it.
    pub(super) fn exception(self) -> &'static str {
        match self {
            Self::AccessDenied => "AccessDeniedException",
            Self::AuthorizerConfigurationError | Self::AuthorizerFailure => {
                "AuthorizerConfigurationException"
            }
            Self::BadRequestBody
            | Self::BadRequestParameters
            | Self::HeadersTooLarge
            | Self::UnsupportedMediaType => "BadRequestException",
            Self::ApiConfigurationError
            | Self::Default5xx
            | Self::IntegrationFailure
            | Self::IntegrationTimeout => "InternalServerErrorException",
            Self::InvalidApiKey => "ForbiddenException",
            Self::MissingAuthenticationToken => "MissingAuthenticationTokenException",
            Self::QuotaExceeded => "LimitExceededException",
            Self::RequestTooLarge => "RequestTooLargeException",
            Self::Throttled => "TooManyRequestsException",
            Self::Unauthorized => "UnauthorizedException",
        }
    }

    fn message(self) -> &'static str {
        match self {
            Self::AccessDenied => "User is not authorized to access this resource",
            Self::AuthorizerConfigurationError | Self::AuthorizerFailure => "",
            Self::BadRequestBody => "Invalid request body",
            Self::BadRequestParameters => "Bad Request",
            Self::ApiConfigurationError | Self::Default5xx | Self::IntegrationFailure => {
                "Internal server error"
            }
            Self::IntegrationTimeout => "Endpoint request timed out",
            Self::InvalidApiKey => "Forbidden",
            Self::MissingAuthenticationToken => "Missing Authentication Token",
            Self::QuotaExceeded => "Limit Exceeded",
            Self::RequestTooLarge => "Request Too Long",
            Self::Throttled => "Too Many Requests",
            Self::Unauthorized => "Unauthorized",
            Self::UnsupportedMediaType => "Unsupported Media Type",
            Self::HeadersTooLarge => "Request Header Fields Too Large",
        }
    }
}
