package io.hypercalld.iommu.driver;

import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.EventControl;
import io.hypercalld.iommu.vtd.FaultRecord;
import io.hypercalld.iommu.vtd.FaultStatus;
import io.hypercalld.iommu.vtd.Mmio;
import io.hypercalld.iommu.vtd.Register;
import java.util.ArrayList;
import java.util.List;

/**
 * One unit's fault registers as the driver uses them. Confined to the machine thread.
 *
 * @see "VT-d §7.2; xen/drivers/passthrough/vtd/iommu.c, __do_iommu_page_fault"
 */
public final class FaultRegisters {
  /** The vector of every unit's fault event, at processor 0. */
  public static final int VECTOR = 0x28;

  private static final int ADDRESS = 0xfee0_0000;
  private static final int CLEAR_F = (int) (FaultRecord.F.mask() >>> Integer.SIZE);
  private static final int HIGH_HALF = Long.BYTES + Integer.BYTES;

  private final Mmio registers;
  private final Capabilities capabilities;

  FaultRegisters(Mmio registers, Capabilities capabilities) {
    this.registers = registers;
    this.capabilities = capabilities;
  }

  /** One record that was taken out of the registers, and which register that was. */
  public record Taken(int index, FaultRecord record) {}

  /** Points the fault event at the driver, and unmasks it. */
  void enable() {
    registers.write32(Register.FEDATA.offset(), VECTOR);
    registers.write32(Register.FEADDR.offset(), ADDRESS);
    registers.write32(Register.FECTL.offset(), 0);
  }

  /** Whether the fault event is the driver's still: nobody masked it or pointed it elsewhere. */
  public boolean isHeard() {
    return !EventControl.IM.isSet(registers.read32(Register.FECTL.offset()))
        && registers.read32(Register.FEDATA.offset()) == VECTOR
        && registers.read32(Register.FEADDR.offset()) == ADDRESS;
  }

  /**
   * Takes every pending record, from the one that became pending first, and clears it; then an
   * overflow, so that it is not set again at once.
   */
  public List<Taken> drain() {
    List<Taken> taken = new ArrayList<>();
    long status = registers.read32(Register.FSTS.offset());
    if (FaultStatus.PPF.isSet(status)) {
      int index = FaultStatus.FRI.getInt(status);
      while (taken.size() < capabilities.faultRecords() && take(index, taken)) {
        index = (index + 1) % capabilities.faultRecords();
      }
    }
    if (FaultStatus.PFO.isSet(registers.read32(Register.FSTS.offset()))) {
      registers.write32(Register.FSTS.offset(), (int) FaultStatus.PFO.mask());
    }
    return taken;
  }

  private boolean take(int index, List<Taken> taken) {
    int at = capabilities.faultRecordOffset(index);
    FaultRecord record = new FaultRecord(registers.read64(at), registers.read64(at + Long.BYTES));
    if (!record.isPending()) {
      return false;
    }
    taken.add(new Taken(index, record));
    registers.write32(at + HIGH_HALF, CLEAR_F);
    return true;
  }

  /** The conditions that are pending now: bits of FSTS. */
  public long conditions() {
    return registers.read32(Register.FSTS.offset()) & FaultStatus.CONDITIONS;
  }
}
