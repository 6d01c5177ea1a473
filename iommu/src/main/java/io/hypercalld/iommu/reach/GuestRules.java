package io.hypercalld.iommu.reach;

/**
 * What operating systems do with processors whose APIC ids do not fit 8 bits: declared models of
 * them, nothing of theirs runs.
 *
 * <p>All of them use a remapping unit where the domain has one, and then x2APIC mode.
 *
 * @see "spec/documents.md S1-M4, S1-D15"
 */
public enum GuestRules {
  /**
   * Linux of 2016: without interrupt remapping it switches x2APIC mode off where any APIC id is
   * beyond 255, and starts no processor beyond 254, as 255 is everybody.
   *
   * @see "linux/arch/x86/kernel/apic/apic.c, try_to_enable_x2apic"
   */
  LINUX_2016("linux-2016", 0xff, WithoutRemapping.LEAVES_X2APIC, WhenUnreachable.LEFT_OUT),

  /**
   * Linux from 2020 on: without interrupt remapping it stays in x2APIC mode and refuses processors
   * beyond APIC id 255, or 32767 where it is told of extended destinations.
   *
   * @see "linux/arch/x86/kernel/apic/apic.c, x2apic_set_max_apicid"
   */
  LINUX_2020("linux-2020", 0xff, WithoutRemapping.STAYS_IN_X2APIC, WhenUnreachable.LEFT_OUT),

  /**
   * Windows 8: it uses x2APIC mode with interrupt remapping only, and starts every processor that
   * its firmware lists; one that it cannot reach is the end of the boot.
   *
   * @see "documents/001"
   */
  WINDOWS_8("windows-8", -1, WithoutRemapping.USES_XAPIC, WhenUnreachable.FATAL);

  /** The largest APIC id with destinations of 15 bits. */
  static final int LARGEST_EXTENDED = 0x7fff;

  private final String text;
  private final int largestPlain;
  private final WithoutRemapping withoutRemapping;
  private final WhenUnreachable whenUnreachable;

  GuestRules(
      String text,
      int largestPlain,
      WithoutRemapping withoutRemapping,
      WhenUnreachable whenUnreachable) {
    this.text = text;
    this.largestPlain = largestPlain;
    this.withoutRemapping = withoutRemapping;
    this.whenUnreachable = whenUnreachable;
  }

  /** Which mode of local APICs it chooses where nothing remaps interrupts. */
  enum WithoutRemapping {
    USES_XAPIC,

    /** xAPIC mode where an id is beyond the largest, otherwise x2APIC mode. */
    LEAVES_X2APIC,

    /** x2APIC mode without the processors whose ids are beyond the largest. */
    STAYS_IN_X2APIC
  }

  /** What becomes of a processor that it cannot start. */
  enum WhenUnreachable {
    LEFT_OUT,
    FATAL
  }

  /** The largest APIC id of a processor that 8 bits of destination reach. */
  int largestPlain() {
    return largestPlain;
  }

  WithoutRemapping withoutRemapping() {
    return withoutRemapping;
  }

  boolean isFatal() {
    return whenUnreachable == WhenUnreachable.FATAL;
  }

  @Override
  public String toString() {
    return text;
  }
}
