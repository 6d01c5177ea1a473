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
  private static final int VM86_TSS = 15;
  private static final int CONSOLE_PFN = 17;
  private static final int CONSOLE_EVTCHN = 18;
  private static final int ACPI_IOPORTS_LOCATION = 19;
  private static final int VM_GENERATION_ID_ADDR = 34;
  private static final int ALTP2M = 35;
  private static final int VM86_TSS_SIZED = 37;
  private static final int MCA_CAP = 38;
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
   * @throws Refusal EINVAL where it is no number of pages; EEXIST where it has another value and is
   *     one to be set once
   */
  public void set(int index, long value) {
    if (index == NR_IOREQ_SERVER_PAGES
        && (value == 0 || Long.compareUnsigned(value, MOST_IOREQ_PAGES) > 0)) {
      throw Refusal.of(Errno.EINVAL, "ioreq servers cannot have %d pages", value);
    }
    if (SET_ONCE.contains(index) && values[index] != 0 && values[index] != value) {
      throw Refusal.of(Errno.EEXIST, "parameter %d is 0x%x already", index, values[index]);
    }
    values[index] = value;
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
