package io.hypercalld.core.domain;

/**
 * Xen's 16-bit number of a domain, reserved ones included. Immutable.
 *
 * @see "xen/include/public/xen.h, DOMID_*"
 */
public record DomainId(int value) implements Comparable<DomainId> {
  public static final DomainId DOM0 = new DomainId(0);

  /** The caller itself; also the first of the reserved numbers. */
  public static final DomainId SELF = new DomainId(0x7ff0);

  /** Owner of quarantined devices and of memory-mapped I/O. */
  public static final DomainId IO = new DomainId(0x7ff1);

  /** Owner of hidden devices and of the hypervisor's own pages. */
  public static final DomainId XEN = new DomainId(0x7ff2);

  /** Owner of shared frames. */
  public static final DomainId COW = new DomainId(0x7ff3);

  public static final DomainId INVALID = new DomainId(0x7ff4);

  /** In {@code createdomain}: choose a free one. */
  public static final DomainId ANY = new DomainId(0x7ff5);

  public DomainId {
    if (value < 0 || value > 0xffff) {
      throw new IllegalArgumentException("a domain id has 16 bits: " + value);
    }
  }

  /** Whether the number may name an ordinary domain. */
  public boolean isOrdinary() {
    return value < SELF.value;
  }

  @Override
  public int compareTo(DomainId other) {
    return Integer.compare(value, other.value);
  }

  /** As Xen prints it: {@code d3}, {@code d[IO]}. */
  @Override
  public String toString() {
    return switch (value) {
      case 0x7ff0 -> "d[SELF]";
      case 0x7ff1 -> "d[IO]";
      case 0x7ff2 -> "d[XEN]";
      case 0x7ff3 -> "d[COW]";
      case 0x7ff4 -> "d[INVALID]";
      case 0x7ff5 -> "d[ANY]";
      default -> "d" + value;
    };
  }
}
