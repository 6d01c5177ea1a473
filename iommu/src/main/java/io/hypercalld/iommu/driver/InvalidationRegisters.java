package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.ContextCommand;
import io.hypercalld.iommu.vtd.InvalidationDescriptor;
import io.hypercalld.iommu.vtd.IotlbCommand;
import io.hypercalld.iommu.vtd.Mmio;
import io.hypercalld.iommu.vtd.Register;

/**
 * Invalidation by register, for units without a queue. Confined to the machine thread.
 *
 * @see "VT-d §6.5.1"
 */
final class InvalidationRegisters implements Invalidations {
  private final int unit;
  private final Mmio registers;
  private final int iva;
  private final int iotlb;

  InvalidationRegisters(int unit, Mmio registers, Capabilities capabilities) {
    this.unit = unit;
    this.registers = registers;
    this.iva = Register.IVA.offset(capabilities);
    this.iotlb = Register.IOTLB.offset(capabilities);
  }

  @Override
  public void contextGlobal() {
    context(ContextCommand.global());
  }

  @Override
  public void contextDevice(int did, SourceId requester) {
    context(ContextCommand.device(did, requester, 0));
  }

  @Override
  public void iotlbGlobal() {
    translations(IotlbCommand.global());
  }

  @Override
  public void iotlbDomain(int did) {
    translations(IotlbCommand.domain(did));
  }

  @Override
  public void iotlbPages(int did, long iova, int addressMask) {
    registers.write64(iva, IotlbCommand.address(iova, addressMask, false));
    translations(IotlbCommand.pages(did));
  }

  @Override
  public void deviceTlb(SourceId device, long iova, int addressMask) {
    throw new IllegalStateException("devices are told through a queue only");
  }

  @Override
  public void interruptsGlobal() {
    throw new IllegalStateException("interrupt entries are invalidated through a queue only");
  }

  @Override
  public void interruptEntry(int index) {
    interruptsGlobal();
  }

  @Override
  public void queued(InvalidationDescriptor command) {
    throw new IllegalStateException("there is no queue for " + command);
  }

  private void context(long command) {
    registers.write64(Register.CCMD.offset(), command);
    long done = registers.read64(Register.CCMD.offset());
    require(!ContextCommand.ICC.isSet(done) && ContextCommand.CAIG.isSet(done), "CCMD", done);
  }

  private void translations(long command) {
    registers.write64(iotlb, command);
    long done = registers.read64(iotlb);
    require(!IotlbCommand.IVT.isSet(done) && IotlbCommand.IAIG.isSet(done), "IOTLB", done);
  }

  private void require(boolean carriedOut, String register, long value) {
    if (!carriedOut) {
      throw Refusal.of(
          Errno.EIO, "iommu %d refused an invalidation: %s is 0x%x", unit, register, value);
    }
  }

  /** The unit's registers are all the state there is. */
  @Override
  public void digest(StateDigest digest) {}
}
