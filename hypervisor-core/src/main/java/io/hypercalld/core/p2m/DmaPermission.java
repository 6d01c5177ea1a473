package io.hypercalld.core.p2m;

import io.hypercalld.core.memory.PageWord;

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

  /** As {@link PageWord} has them. */
  public int rights() {
    return (reads() ? PageWord.READ : 0) | (writes() ? PageWord.WRITE : 0);
  }

  /** What the rights of a {@link PageWord} come to. */
  public static DmaPermission ofRights(int rights) {
    return of((rights & PageWord.READ) != 0, (rights & PageWord.WRITE) != 0);
  }

  public boolean reads() {
    return this == READ || this == READ_WRITE;
  }

  public boolean writes() {
    return this == WRITE || this == READ_WRITE;
  }
}
