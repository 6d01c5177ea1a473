package io.hypercalld.core.p2m;

import java.util.Collections;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;

/**
 * What kind of memory a guest frame is.
 *
 * @see "xen/arch/x86/include/asm/p2m.h, p2m_type_t"
 */
public enum P2mType {
  RAM_RW(0, "rwx", DmaPermission.READ_WRITE),
  /** Never seen in a look-up: an empty slot reads back as {@link #MMIO_DM}. */
  INVALID(1, "---", DmaPermission.NONE),
  RAM_LOGDIRTY(2, "r-x", DmaPermission.READ_WRITE),
  RAM_RO(3, "r-x", DmaPermission.READ),
  /** Nothing behind it: accesses are emulated. */
  MMIO_DM(4, "---", DmaPermission.NONE),
  /** A device's registers; what DMA may do follows the entry's access. */
  MMIO_DIRECT(5, "rwx", DmaPermission.READ_WRITE),
  POPULATE_ON_DEMAND(6, "---", DmaPermission.NONE),
  GRANT_MAP_RW(7, "rw-", DmaPermission.READ_WRITE),
  GRANT_MAP_RO(8, "r--", DmaPermission.READ),
  RAM_PAGING_OUT(9, "---", DmaPermission.NONE),
  RAM_PAGED(10, "---", DmaPermission.NONE),
  RAM_PAGING_IN(11, "---", DmaPermission.NONE),
  RAM_SHARED(12, "r-x", DmaPermission.NONE),
  RAM_BROKEN(13, "---", DmaPermission.NONE),
  MAP_FOREIGN(14, "rw-", DmaPermission.READ_WRITE),
  /** Readable; writable unless the server asked for writes. Never mapped for DMA. */
  IOREQ_SERVER(15, "rw-", DmaPermission.NONE),
  /** The same for a second server: the first type that four bits of an entry cannot hold. */
  IOREQ_SERVER1(16, "rw-", DmaPermission.NONE),
  IOREQ_SERVER2(17, "rw-", DmaPermission.NONE),
  IOREQ_SERVER3(18, "rw-", DmaPermission.NONE);

  /** Types that servers claim; a domain has the first of them, or as many as it is given. */
  public static final Set<P2mType> IOREQ =
      group(IOREQ_SERVER, IOREQ_SERVER1, IOREQ_SERVER2, IOREQ_SERVER3);

  /** Types that mean memory of the guest's, some of them without a frame right now. */
  public static final Set<P2mType> RAM =
      group(
          RAM_RW,
          RAM_LOGDIRTY,
          RAM_RO,
          RAM_PAGING_OUT,
          RAM_PAGED,
          RAM_PAGING_IN,
          RAM_SHARED,
          IOREQ_SERVER,
          IOREQ_SERVER1,
          IOREQ_SERVER2,
          IOREQ_SERVER3);

  /** {@link #RAM} and other people's memory mapped here. */
  public static final Set<P2mType> ANY_RAM = union(RAM, GRANT_MAP_RW, GRANT_MAP_RO, MAP_FOREIGN);

  /** Types without a frame that a mapping may simply replace. */
  public static final Set<P2mType> HOLE = group(MMIO_DM, INVALID, RAM_PAGING_IN, RAM_PAGED);

  public static final Set<P2mType> GRANT = group(GRANT_MAP_RW, GRANT_MAP_RO);
  public static final Set<P2mType> MMIO = group(MMIO_DM, MMIO_DIRECT);
  public static final Set<P2mType> READONLY = group(RAM_LOGDIRTY, RAM_RO, GRANT_MAP_RO, RAM_SHARED);

  /** Types whose writes are emulated and dropped. */
  public static final Set<P2mType> DISCARD_WRITE = group(RAM_RO, GRANT_MAP_RO);

  /** The only types that take part in bulk changes. */
  public static final Set<P2mType> CHANGEABLE =
      group(RAM_RW, RAM_LOGDIRTY, IOREQ_SERVER, IOREQ_SERVER1, IOREQ_SERVER2, IOREQ_SERVER3);

  public static final Set<P2mType> POD = group(POPULATE_ON_DEMAND);
  public static final Set<P2mType> PAGEABLE = group(RAM_RW, RAM_LOGDIRTY);
  public static final Set<P2mType> PAGING = group(RAM_PAGING_OUT, RAM_PAGED, RAM_PAGING_IN);
  public static final Set<P2mType> PAGED = group(RAM_PAGED);
  public static final Set<P2mType> SHARABLE = group(RAM_RW, RAM_LOGDIRTY);
  public static final Set<P2mType> SHARED = group(RAM_SHARED);

  /** Types that only dedicated operations may create and remove. */
  public static final Set<P2mType> SPECIAL =
      group(GRANT_MAP_RW, GRANT_MAP_RO, MAP_FOREIGN, MMIO_DIRECT);

  /** Types whose leaves are counted one by one, so that none is larger than the granule. */
  public static final Set<P2mType> SMALL_ONLY =
      group(MAP_FOREIGN, IOREQ_SERVER, IOREQ_SERVER1, IOREQ_SERVER2, IOREQ_SERVER3);

  public static final Set<P2mType> BROKEN = group(RAM_BROKEN);

  /** Types whose entry may be without a frame and yet not empty. */
  public static final Set<P2mType> FRAMELESS =
      group(POPULATE_ON_DEMAND, MMIO_DIRECT, RAM_PAGING_OUT, RAM_PAGED, RAM_PAGING_IN);

  private static final P2mType[] BY_NUMBER = values();

  private final int number;
  private final boolean readable;
  private final boolean writable;
  private final boolean executable;
  private final DmaPermission dma;

  P2mType(int number, String cpu, DmaPermission dma) {
    this.number = number;
    this.readable = cpu.charAt(0) == 'r';
    this.writable = cpu.charAt(1) == 'w';
    this.executable = cpu.charAt(2) == 'x';
    this.dma = dma;
  }

  /** The type with the number that an entry stores; 0 to 18. */
  public static P2mType ofNumber(int number) {
    return BY_NUMBER[number];
  }

  /** The number that an entry stores. */
  public int number() {
    return number;
  }

  /** Whether the type alone lets a guest read. */
  public boolean isReadable() {
    return readable;
  }

  /** Whether the type alone lets a guest write. */
  public boolean isWritable() {
    return writable;
  }

  /** Whether the type alone lets a guest fetch instructions. */
  public boolean isExecutable() {
    return executable;
  }

  /** What a device may do with full access. */
  public DmaPermission dma() {
    return dma;
  }

  /** As Xen's sources spell it without the prefix: {@code ram_rw}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }

  private static Set<P2mType> group(P2mType first, P2mType... rest) {
    return Collections.unmodifiableSet(EnumSet.of(first, rest));
  }

  private static Set<P2mType> union(Set<P2mType> base, P2mType... more) {
    EnumSet<P2mType> all = EnumSet.copyOf(base);
    all.addAll(Set.of(more));
    return Collections.unmodifiableSet(all);
  }
}
