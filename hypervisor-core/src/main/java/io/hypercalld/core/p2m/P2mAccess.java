package io.hypercalld.core.p2m;

/**
 * A restriction on top of the type, as introspection tools set it.
 *
 * @see "xen/include/xen/mem_access.h, p2m_access_t"
 */
public enum P2mAccess {
  N(0),
  R(1),
  W(2),
  RW(3),
  X(4),
  RX(5),
  WX(6),
  RWX(7),
  /** Read and execute; a write turns it into {@link #RW}. */
  RX2RW(8),
  /** Nothing; any access turns it into {@link #RWX} and tells the monitor. */
  N2RWX(9),
  /** Read-only to the guest, writable to the page walker. */
  R_PW(10);

  private final int number;

  P2mAccess(int number) {
    this.number = number;
  }

  private static final P2mAccess[] BY_NUMBER = values();

  /** The access with the number that an entry stores; 0 to 10. */
  public static P2mAccess ofNumber(int number) {
    return BY_NUMBER[number];
  }

  /** The number that an entry stores. */
  public int number() {
    return number;
  }

  public boolean isReadable() {
    return switch (this) {
      case R, RW, RX, RWX, RX2RW, R_PW -> true;
      case N, W, X, WX, N2RWX -> false;
    };
  }

  public boolean isWritable() {
    return switch (this) {
      case W, RW, WX, RWX -> true;
      case N, R, X, RX, RX2RW, N2RWX, R_PW -> false;
    };
  }

  public boolean isExecutable() {
    return switch (this) {
      case X, RX, WX, RWX, RX2RW -> true;
      case N, R, W, RW, N2RWX, R_PW -> false;
    };
  }

  /** As Xen's sources spell it without the prefix: {@code rwx}. */
  @Override
  public String toString() {
    return name().toLowerCase(java.util.Locale.ROOT);
  }
}
