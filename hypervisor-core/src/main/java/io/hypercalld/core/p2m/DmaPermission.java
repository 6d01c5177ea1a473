package io.hypercalld.core.p2m;

/** What a device may do with a page through the IOMMU. */
public enum DmaPermission {
  NONE,
  READ,
  /** Only where a guest's own table grants no more: no page of a P2M is such. */
  WRITE,
  READ_WRITE;

  /** What both this and the other permit. */
  public DmaPermission and(DmaPermission other) {
    return of(reads() && other.reads(), writes() && other.writes());
  }

  /** The permission to read, to write, both or neither. */
  public static DmaPermission of(boolean reads, boolean writes) {
    if (reads) {
      return writes ? READ_WRITE : READ;
    }
    return writes ? WRITE : NONE;
  }

  public boolean reads() {
    return this == READ || this == READ_WRITE;
  }

  public boolean writes() {
    return this == WRITE || this == READ_WRITE;
  }
}
