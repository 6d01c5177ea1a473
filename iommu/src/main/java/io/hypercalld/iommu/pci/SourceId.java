package io.hypercalld.iommu.pci;

/**
 * The 16-bit requester id that travels with a DMA request: bus, device, function. Immutable.
 *
 * <pre>
 *  15       8 7      3 2    0
 * +----------+--------+------+
 * |   bus    | device |  fn  |
 * +----------+--------+------+
 * </pre>
 */
public record SourceId(int value) implements Comparable<SourceId> {
  private static final int BUS_SHIFT = 8;
  private static final int DEVICE_SHIFT = 3;
  private static final int DEVFN_MASK = 0xff;
  private static final int DEVICE_MASK = 0x1f;
  private static final int FUNCTION_MASK = 0x7;

  public SourceId {
    if (value < 0 || value > 0xffff) {
      throw new IllegalArgumentException("a requester id has 16 bits: " + value);
    }
  }

  /** The id of a bus number and a {@code device << 3 | function} byte. */
  public static SourceId of(int bus, int devfn) {
    return new SourceId(bus << BUS_SHIFT | devfn);
  }

  public int bus() {
    return value >>> BUS_SHIFT;
  }

  /** Device and function in one byte: the index of a context entry in the bus's table. */
  public int devfn() {
    return value & DEVFN_MASK;
  }

  public int device() {
    return value >>> DEVICE_SHIFT & DEVICE_MASK;
  }

  public int function() {
    return value & FUNCTION_MASK;
  }

  /** The address of the function that has this id in a PCI segment. */
  public Sbdf in(int segment) {
    return new Sbdf(segment, bus(), device(), function());
  }

  @Override
  public int compareTo(SourceId other) {
    return Integer.compare(value, other.value);
  }

  /** As {@code lspci} prints it: {@code 03:00.0}. */
  @Override
  public String toString() {
    return "%02x:%02x.%x".formatted(bus(), device(), function());
  }
}
