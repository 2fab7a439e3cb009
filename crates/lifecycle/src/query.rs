//! What a list may be asked for (contract.md section 1.4), without any word of SQL.

use jiff::Timestamp;

/// How a field is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Pattern with `%`.
    Like,
    /// Not that pattern.
    NotLike,
    /// Greater.
    Gt,
    /// Less.
    Lt,
    /// Greater or equal.
    Gte,
    /// Less or equal.
    Lte,
    /// Has no value.
    Null,
    /// Has a value.
    NotNull,
    /// One of several.
    In,
    /// None of several.
    NotIn,
}

/// What kind of value a field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// Text.
    Text,
    /// List of texts.
    TextList,
    /// Whole number.
    Integer,
    /// Moment.
    Date,
    /// One of fixed words, compared in any case.
    Enumeration,
}

/// A value to compare with, already of the field's kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilterValue {
    /// Text, enumeration words in upper case.
    Text(String),
    /// Whole number.
    Integer(i64),
    /// Moment.
    Date(Timestamp),
}

/// One condition; several are joined by AND.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter<F> {
    /// Which field.
    pub field: F,
    /// How.
    pub operator: Operator,
    /// With what: one value, several for `In` and `NotIn`, none for `Null` and `NotNull`.
    pub values: Vec<FilterValue>,
}

/// A list request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query<F> {
    /// Conditions.
    pub filters: Vec<Filter<F>>,
    /// Substring looked for in all text fields.
    pub text: Option<String>,
    /// Sort keys, the first one strongest; `true` is descending. Ties and an empty list: newest first.
    pub order: Vec<(F, bool)>,
    /// How many at most; `None` for an export.
    pub limit: Option<u32>,
    /// How many to leave out first.
    pub offset: u64,
    /// Whether the total is wanted.
    pub total: bool,
    /// Whether CSRs and certificates themselves are wanted: they are most of what a row holds. Without it
    /// certificates come without CSR and with an empty DER.
    pub documents: bool,
}

impl<F> Default for Query<F> {
    fn default() -> Self {
        Self {
            filters: Vec::new(),
            text: None,
            order: Vec::new(),
            limit: Some(10),
            offset: 0,
            total: true,
            documents: true,
        }
    }
}

/// An answer to a [`Query`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The elements.
    pub entities: Vec<T>,
    /// How many there are in all, if asked for.
    pub total: Option<u64>,
}

/// A field by which a list is filtered, sorted and searched.
pub trait Field: Copy + PartialEq + 'static {
    /// Every field.
    const ALL: &'static [Self];
    /// The one that identifies an element.
    const ID: Self;

    /// The name on the wire.
    fn wire_name(self) -> &'static str;
    /// What kind of value it has.
    fn kind(self) -> FieldKind;

    /// The field of that wire name.
    fn from_wire(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|field| field.wire_name() == name)
    }
}

/// Declares a field enumeration with its wire names and kinds, the identifying one first.
macro_rules! fields {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $wire:literal: $kind:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $(#[doc = concat!("`", $wire, "`")] $variant),+ }

        impl Field for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),+];
            const ID: Self = Self::ALL[0];

            fn wire_name(self) -> &'static str {
                match self { $(Self::$variant => $wire),+ }
            }

            fn kind(self) -> FieldKind {
                match self { $(Self::$variant => FieldKind::$kind),+ }
            }
        }
    };
}

fields! {
    /// Fields of the certificate list (contract.md section 4.5).
    CertificateField {
        Id = "id": Integer,
        Process = "process": Integer,
        DomainName = "domainName": Text,
        ValidationType = "validationType": Enumeration,
        CertificateType = "certificateType": Enumeration,
        Product = "product": Text,
        Organization = "organization": Text,
        Department = "department": Text,
        ProviderId = "providerId": Text,
        PostalCode = "postalCode": Text,
        AddressLine = "addressLine": TextList,
        City = "city": Text,
        State = "state": Text,
        Country = "country": Text,
        StartDate = "startDate": Date,
        ExpiryDate = "expiryDate": Date,
        SubscriptionEndDate = "subscriptionEndDate": Date,
        Contact = "contact": Text,
        Coc = "coc": Text,
        San = "san": TextList,
        Status = "status": Enumeration,
        PublicKeyAlgorithm = "publicKeyAlgorithm": Enumeration,
        PublicKeySize = "publicKeySize": Integer,
        Fingerprint = "fingerprint": Text,
    }
}

fields! {
    /// Fields of the process list (contract.md section 4.9).
    ProcessField {
        Id = "id": Integer,
        Status = "status": Enumeration,
        DetailStatus = "detailStatus": Enumeration,
        CreatedDate = "createdDate": Date,
        UpdatedDate = "updatedDate": Date,
        StartedDate = "startedDate": Date,
        Type = "type": Text,
        Identifier = "identifier": Text,
        Action = "action": Text,
        BillableAction = "billableAction": Enumeration,
        BillableProduct = "billableProduct": Text,
        BillableProvider = "billableProvider": Text,
        BillableQuantity = "billableQuantity": Integer,
    }
}

fields! {
    /// Fields of the list of open validations: they are processes, with what is common to all of them left out.
    ValidationField {
        Process = "process": Integer,
        Customer = "customer": Text,
        CommonName = "commonName": Text,
        Action = "action": Text,
        Status = "status": Enumeration,
        CreatedDate = "createdDate": Date,
        UpdatedDate = "updatedDate": Date,
    }
}

fields! {
    /// Fields of the list of blocked keys.
    BlockedKeyField {
        Id = "id": Integer,
        Key = "key": Text,
        Reason = "reason": Text,
        User = "user": Text,
        CreatedDate = "createdDate": Date,
    }
}

fields! {
    /// Fields of the list of proofs.
    AuthorizationField {
        Id = "id": Integer,
        Customer = "customer": Text,
        Adn = "adn": Text,
        Method = "method": Text,
        ObtainedDate = "obtainedDate": Date,
        Process = "process": Integer,
        Alias = "alias": Text,
        Name = "name": TextList,
        Certificate = "certificate": Integer,
        Reach = "reach": Enumeration,
    }
}

fields! {
    /// Fields of the notification list (contract.md section 5.8).
    NotificationField {
        Id = "id": Integer,
        FireDate = "fireDate": Date,
        ReadDate = "readDate": Date,
        AcknowledgeDate = "acknowledgeDate": Date,
        DeliveryDate = "deliveryDate": Date,
        Message = "message": Text,
        Reason = "reason": Text,
        Process = "process": Integer,
        EventType = "eventType": Enumeration,
        NotificationType = "notificationType": Text,
        ProcessType = "processType": Text,
        ProcessIdentifier = "processIdentifier": Text,
        StatusDetail = "statusDetail": Text,
        SubjectStatus = "subjectStatus": Enumeration,
        TransferType = "transferType": Text,
        ExpiryDate = "expiryDate": Date,
        DomainName = "domainName": Text,
        CertificateId = "certificateId": Integer,
        Product = "product": Text,
        ValidationType = "validationType": Enumeration,
    }
}

fields! {
    /// Fields of the product list (contract.md section 4.10).
    CatalogueField {
        Product = "product": Text,
        Brand = "brand": Text,
        Name = "name": Text,
        ValidationType = "validationType": Enumeration,
        CertificateType = "certificateType": Enumeration,
        Features = "features": Enumeration,
        Periods = "periods": Integer,
        Warranty = "warranty": Integer,
        IssueTime = "issueTime": Text,
        RenewalWindow = "renewalWindow": Integer,
        IncludedDomains = "includedDomains": Integer,
        MaxDomains = "maxDomains": Integer,
    }
}

fields! {
    /// What the certificates of a campaign are chosen by.
    SelectionField {
        Id = "id": Integer,
        Customer = "customer": Text,
        Issuer = "issuer": Text,
        Product = "product": Text,
        Status = "status": Enumeration,
        DomainName = "domainName": Text,
        San = "san": TextList,
        Organization = "organization": Text,
        ValidationType = "validationType": Enumeration,
        CertificateType = "certificateType": Enumeration,
        StartDate = "startDate": Date,
        ExpiryDate = "expiryDate": Date,
        SubscriptionEndDate = "subscriptionEndDate": Date,
        PublicKeyAlgorithm = "publicKeyAlgorithm": Enumeration,
        PublicKeySize = "publicKeySize": Integer,
        Fingerprint = "fingerprint": Text,
        ProviderId = "providerId": Text,
    }
}

/// A certificate list request.
pub type CertificateQuery = Query<CertificateField>;
/// A request for the certificates of a campaign.
pub type SelectionQuery = Query<SelectionField>;
/// A process list request.
pub type ProcessQuery = Query<ProcessField>;
/// A request for the list of open validations.
pub type ValidationQuery = Query<ValidationField>;
/// A request for the list of blocked keys.
pub type BlockedKeyQuery = Query<BlockedKeyField>;
/// A request for the list of proofs.
pub type AuthorizationQuery = Query<AuthorizationField>;
/// A notification list request.
pub type NotificationQuery = Query<NotificationField>;
