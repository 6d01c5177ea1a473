package io.hypercalld.iommu.vtd;

/**
 * What a memory request asks for, and in which address space. Immutable.
 *
 * @see "VT-d §3.1"
 */
public enum DmaAccess {
  READ(RequestType.READ, AddressType.UNTRANSLATED, Need.READ),
  WRITE(RequestType.WRITE, AddressType.UNTRANSLATED, Need.WRITE),
  ATOMIC(RequestType.ATOMIC, AddressType.UNTRANSLATED, Need.BOTH),

  /** A read of no bytes, by which a device makes sure that its writes have landed. */
  ZERO_LENGTH_READ(RequestType.READ, AddressType.UNTRANSLATED, Need.EITHER),

  /** A device asks for a translation to keep (ATS). */
  TRANSLATION_REQUEST(RequestType.READ, AddressType.TRANSLATION_REQUEST, Need.EITHER),

  /** A device uses a translation that it keeps (ATS). */
  TRANSLATED_READ(RequestType.READ, AddressType.TRANSLATED, Need.READ),

  /** A device uses a translation that it keeps (ATS). */
  TRANSLATED_WRITE(RequestType.WRITE, AddressType.TRANSLATED, Need.WRITE),

  /** A device asks software for a page (PRI). */
  PAGE_REQUEST(RequestType.PAGE_REQUEST, AddressType.UNTRANSLATED, Need.EITHER);

  /** The bits {T1, T2} of a fault record. */
  public enum RequestType {
    WRITE(0),
    PAGE_REQUEST(1),
    READ(2),
    ATOMIC(3);

    private final int encoding;

    RequestType(int encoding) {
      this.encoding = encoding;
    }

    /** T1 in bit 1, T2 in bit 0. */
    public int encoding() {
      return encoding;
    }
  }

  /** Field AT of a request and of a fault record. */
  public enum AddressType {
    UNTRANSLATED(0),
    TRANSLATION_REQUEST(1),
    TRANSLATED(2);

    private final int encoding;

    AddressType(int encoding) {
      this.encoding = encoding;
    }

    public int encoding() {
      return encoding;
    }
  }

  private enum Need {
    READ(SecondStageEntry.R.mask()),
    WRITE(SecondStageEntry.W.mask()),
    BOTH(SecondStageEntry.READ_WRITE),

    /** One of them, whichever. */
    EITHER(0);

    private final int permissions;

    Need(long permissions) {
      this.permissions = (int) permissions;
    }
  }

  private final RequestType type;
  private final AddressType addressType;
  private final boolean writes;
  private final int required;

  DmaAccess(RequestType type, AddressType addressType, Need need) {
    this.type = type;
    this.addressType = addressType;
    this.writes = need == Need.WRITE || need == Need.BOTH;
    this.required = need.permissions;
  }

  public RequestType type() {
    return type;
  }

  public AddressType addressType() {
    return addressType;
  }

  /** Whether the request carries an address that software's tables have yet to translate. */
  public boolean isUntranslated() {
    return addressType == AddressType.UNTRANSLATED;
  }

  /** Whether the request carries an address that a device has translated itself. */
  public boolean isTranslated() {
    return addressType == AddressType.TRANSLATED;
  }

  /** Whether the request wants to change memory. */
  public boolean writes() {
    return writes;
  }

  /** Whether the request's page, which has these permissions, has to be marked dirty. */
  public boolean dirties(int permissions) {
    return writes
        || (addressType == AddressType.TRANSLATION_REQUEST
            && SecondStageEntry.permitsWrite(permissions));
  }

  /**
   * Whether a page with these permissions lets the request pass.
   *
   * @param permissions bits R and W, as {@link SecondStageEntry#permissions} gives them
   */
  public boolean isPermittedBy(int permissions) {
    return (permissions & required) == required && permissions != 0;
  }

  /** The reason where {@code permissions} do not let the request pass; a lack of W comes first. */
  public FaultReason whenDenied(int permissions) {
    return writes && !SecondStageEntry.permitsWrite(permissions)
        ? FaultReason.WRITE_NOT_PERMITTED
        : FaultReason.READ_NOT_PERMITTED;
  }
}
