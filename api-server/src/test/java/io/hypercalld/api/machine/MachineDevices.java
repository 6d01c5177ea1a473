package io.hypercalld.api.machine;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.bits.HexBytes;
import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.state.Devices;
import io.hypercalld.iommu.driver.PciDevice;
import io.hypercalld.iommu.hypercall.AssignDevice;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.DmaOutcome;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;

/** Virtual functions of a whole machine's, each with a table of its guest's own. */
final class MachineDevices implements Devices {
  private static final int NO_SHAREPT = 0x1;

  private final Map<DomainId, Sbdf> assigned = new TreeMap<>();
  private final Deque<Sbdf> free;
  private final Machine machine;

  MachineDevices(Machine machine) {
    this.machine = machine;
    this.free =
        new ArrayDeque<>(
            machine.driver().devices().all().stream()
                .filter(device -> device.function().isVirtual())
                .map(PciDevice::sbdf)
                .toList());
  }

  @Override
  public long iommuOptions() {
    return NO_SHAREPT;
  }

  @Override
  public boolean areAssigned() {
    return true;
  }

  @Override
  public void attach(DomainId guest) {
    Sbdf device = free.removeFirst();
    assertThat(machine.call(DomainId.DOM0, new AssignDevice(guest, device, 0, 0)))
        .isInstanceOf(Outcome.Success.class);
    assigned.put(guest, device);
  }

  @Override
  public void forget(DomainId guest) {
    Optional.ofNullable(assigned.remove(guest)).ifPresent(free::addLast);
  }

  @Override
  public OptionalLong read(DomainId guest, long frame) {
    DeviceDma.Result result = perform(guest, frame, Optional.empty());
    return isDone(result) ? OptionalLong.of(word(result.data())) : OptionalLong.empty();
  }

  @Override
  public boolean write(DomainId guest, long frame, long word) {
    byte[] bytes = new byte[Long.BYTES];
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(word);
    return isDone(perform(guest, frame, Optional.of(new HexBytes(bytes))));
  }

  private static long word(HexBytes bytes) {
    return ByteBuffer.wrap(bytes.toByteArray()).order(ByteOrder.LITTLE_ENDIAN).getLong();
  }

  private static boolean isDone(DeviceDma.Result result) {
    return result.outcome().verdict() == DmaOutcome.Verdict.DONE;
  }

  private DeviceDma.Result perform(DomainId guest, long frame, Optional<HexBytes> data) {
    Sbdf device = Objects.requireNonNull(assigned.get(guest));
    DeviceDma.Result result =
        machine.execute(new DeviceDma(device, new Word(frame << 12), Long.BYTES, data));
    assertThat(result.oracle()).isEmpty();
    assertThat(result.victims()).isEmpty();
    return result;
  }

  @Override
  public List<String> violations() {
    return machine.violations().stream().map(Object::toString).toList();
  }
}
