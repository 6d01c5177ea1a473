package io.hypercalld.core.domain;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import java.util.Set;

/**
 * Numbers that a toolstack, the hypervisor and a guest leave for each other. Confined to the
 * machine thread.
 *
 * @see "xen/include/public/hvm/params.h; xen/arch/x86/hvm/hvm.c, hvm_allow_set_param"
 */
public final class HvmParams implements Digestible {
  /** {@code HVM_PARAM_*}: the guest frame of the pager's ring. */
  public static final int PAGING_RING_PFN = 27;

  /** The guest frame of the monitor's ring. */
  public static final int MONITOR_RING_PFN = 28;

  /** The guest frame of the ring that tells of sharing. */
  public static final int SHARING_RING_PFN = 29;

  /** A guest frame for the slots of an ioreq server. */
  public static final int IOREQ_PFN = 5;

  /** A guest frame for the ring of an ioreq server. */
  public static final int BUFIOREQ_PFN = 6;

  /** The first of the guest frames for the pages of ioreq servers. */
  public static final int IOREQ_SERVER_PFN = 32;

  /** How many of them there are, at most {@link #MOST_IOREQ_PAGES}. */
  public static final int NR_IOREQ_SERVER_PAGES = 33;

  /** As many as a word has bits. */
  private static final int MOST_IOREQ_PAGES = Long.SIZE;

  /** {@code HVM_NR_PARAMS}. */
  public static final int COUNT = 39;

  private static final int STORE_PFN = 1;
  private static final int STORE_EVTCHN = 2;
  private static final int VIRIDIAN = 9;
  private static final int TIMER_MODE = 10;
  private static final int ACPI_S_STATE = 14;
  private static final int VM86_TSS = 15;
  private static final int CONSOLE_PFN = 17;
  private static final int CONSOLE_EVTCHN = 18;
  private static final int ACPI_IOPORTS_LOCATION = 19;
  private static final int TRIPLE_FAULT_REASON = 31;
  private static final int VM_GENERATION_ID_ADDR = 34;
  private static final int ALTP2M = 35;
  private static final int X87_FIP_WIDTH = 36;
  private static final int VM86_TSS_SIZED = 37;
  private static final int MCA_CAP = 38;

  /** {@code HVMPV_feature_mask}: what a Windows guest may be shown. */
  private static final long VIRIDIAN_FEATURES = 0x1fff;

  private static final long VIRIDIAN_BASE = 0x1;
  private static final long MOST_TIMER_MODE = 3;
  private static final long MOST_ALTP2M_MODE = 3;
  private static final long ACPI_S3 = 3;

  private static final Set<Integer> GUEST_SETS =
      Set.of(0, VM86_TSS, ACPI_IOPORTS_LOCATION, VM_GENERATION_ID_ADDR, VM86_TSS_SIZED);
  private static final Set<Integer> GUEST_GETS =
      Set.of(STORE_PFN, STORE_EVTCHN, CONSOLE_PFN, CONSOLE_EVTCHN, ALTP2M);
  private static final Set<Integer> SET_ONCE =
      Set.of(
          IOREQ_PFN,
          BUFIOREQ_PFN,
          VIRIDIAN,
          IOREQ_SERVER_PFN,
          NR_IOREQ_SERVER_PAGES,
          ALTP2M,
          MCA_CAP);

  /** {@code DM_DOMAIN} and {@code BUFIOREQ_EVTCHN}, which ended with the default server. */
  private static final Set<Integer> DEAD = Set.of(13, 26);

  private final long[] values = new long[COUNT];

  /** The parameter of the number, less than {@link #COUNT}. */
  public long get(int index) {
    return values[index];
  }

  /**
   * Sets the parameter of the number, less than {@link #COUNT}.
   *
   * @throws Refusal EINVAL where it can have no such value; EEXIST where it has another value and
   *     is one to be set once
   */
  public void set(int index, long value) {
    if (!isValid(index, value)) {
      throw Refusal.of(Errno.EINVAL, "parameter %d cannot be 0x%x", index, value);
    }
    if (SET_ONCE.contains(index) && values[index] != 0 && values[index] != value) {
      throw Refusal.of(Errno.EEXIST, "parameter %d is 0x%x already", index, values[index]);
    }
    values[index] = value;
  }

  private static boolean isValid(int index, long value) {
    return switch (index) {
      case NR_IOREQ_SERVER_PAGES -> value != 0 && isAtMost(value, MOST_IOREQ_PAGES);
      case VIRIDIAN -> isAtMost(value, VIRIDIAN_FEATURES) && (value & VIRIDIAN_BASE) != 0;
      case TIMER_MODE -> isAtMost(value, MOST_TIMER_MODE);
      case ACPI_S_STATE -> value == 0 || value == ACPI_S3;
      case ACPI_IOPORTS_LOCATION, MCA_CAP -> isAtMost(value, 1);
      case TRIPLE_FAULT_REASON -> isAtMost(value, ShutdownReason.SOFT_RESET.code());
      case ALTP2M -> isAtMost(value, MOST_ALTP2M_MODE);
      case X87_FIP_WIDTH -> value == 0 || value == Integer.BYTES || value == Long.BYTES;
      default -> true;
    };
  }

  private static boolean isAtMost(long value, long most) {
    return Long.compareUnsigned(value, most) <= 0;
  }

  /** Whether the number names a parameter that is still there. */
  public static boolean exists(long index) {
    return index >= 0 && index < COUNT && !DEAD.contains((int) index);
  }

  /** Whether a guest may set the parameter itself. */
  public static boolean isGuestWritable(int index) {
    return GUEST_SETS.contains(index);
  }

  /** Whether a guest may read the parameter itself. */
  public static boolean isGuestReadable(int index) {
    return GUEST_SETS.contains(index) || GUEST_GETS.contains(index);
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("hvm-params");
    for (long value : values) {
      digest.put(value);
    }
  }
}
