package io.hypercalld.iommu.vtd;

import static io.hypercalld.core.bits.BitField.bit;
import static io.hypercalld.core.bits.BitField.bits;
import static io.hypercalld.core.bits.BitField.reserved;

import io.hypercalld.core.bits.BitField;
import io.hypercalld.core.bits.WordLayout;
import io.hypercalld.core.memory.PhysicalMemory;
import io.hypercalld.iommu.pci.SourceId;

/**
 * A device asks software for a page, as the page request queue holds it: four words, the last two
 * zero. Immutable.
 *
 * @param prefix the address space; none for a request without one
 * @param page address of the page, a multiple of 4 KiB
 * @param reads whether the device wants to read
 * @param writes whether it wants to write
 * @param last LPIG: the last request of its group, which the device waits to be answered
 * @param group PRGI, 0 to 511
 * @see "VT-d §7.4.1"
 */
public record PageRequest(
    SourceId device,
    PasidPrefix prefix,
    long page,
    boolean reads,
    boolean writes,
    boolean last,
    int group) {
  /** Bytes of one entry of the queue. */
  public static final int BYTES = 32;

  /** Number of page request groups that a device can tell apart. */
  public static final int GROUPS = 512;

  private static final BitField TYPE = bits("TYPE", 7, 0);
  private static final BitField PASID_PRESENT = bit("PP", 8);
  private static final BitField RID = bits("RID", 31, 16);
  private static final BitField PASID = bits("PASID", 51, 32);
  private static final BitField EXECUTE = bit("EXR", 52);
  private static final BitField PRIVILEGED = bit("PMR", 53);
  public static final WordLayout LO =
      WordLayout.covering(
          "page-request.lo",
          TYPE,
          PASID_PRESENT,
          reserved(15, 9),
          RID,
          PASID,
          EXECUTE,
          PRIVILEGED,
          reserved(63, 54));

  private static final BitField RD = bit("RD", 0);
  private static final BitField WR = bit("WR", 1);
  private static final BitField LPIG = bit("LPIG", 2);
  private static final BitField PRGI = bits("PRGI", 11, 3);
  private static final BitField ADDR = bits("ADDR", 63, 12);
  public static final WordLayout HI =
      WordLayout.covering("page-request.hi", RD, WR, LPIG, PRGI, ADDR);

  private static final int PAGE_REQUEST = 1;

  /** First word of the entry. */
  public long lo() {
    return TYPE.of(PAGE_REQUEST)
        | PASID_PRESENT.of(prefix.present() ? 1 : 0)
        | RID.of(device.value())
        | PASID.of(prefix.pasid())
        | EXECUTE.of(prefix.execute() ? 1 : 0)
        | PRIVILEGED.of(prefix.privileged() ? 1 : 0);
  }

  /** Second word of the entry. */
  public long hi() {
    return RD.of(reads ? 1 : 0)
        | WR.of(writes ? 1 : 0)
        | LPIG.of(last ? 1 : 0)
        | PRGI.of(group)
        | ADDR.inPlace(page);
  }

  /**
   * Stores the entry.
   *
   * @param maddr machine address, in memory for {@link #BYTES}
   */
  public void write(PhysicalMemory memory, long maddr) {
    memory.writeWord(maddr, lo());
    memory.writeWord(maddr + Long.BYTES, hi());
    memory.writeWord(maddr + 2 * Long.BYTES, 0);
    memory.writeWord(maddr + 3 * Long.BYTES, 0);
  }
}
