package io.hypercalld.iommu.driver;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.state.Devices;
import io.hypercalld.iommu.audit.Violation;
import io.hypercalld.iommu.pci.Sbdf;
import io.hypercalld.iommu.unit.DmaOutcome;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.TreeMap;

/**
 * Virtual functions given to guests, behind a remapping unit. Confined to the test's thread.
 *
 * <p>Guests with a P2M share it with their device, or have a table of its own for it.
 */
final class AssignedDevices implements Devices {
  private static final int NO_SHAREPT = 0x1;

  private final Map<DomainId, Sbdf> assigned = new TreeMap<>();
  private final Deque<Sbdf> free = new ArrayDeque<>(SimulatedMachine.virtualFunctions());
  private final SimulatedMachine machine;
  private final boolean separate;

  AssignedDevices(SimulatedMachine machine, boolean separate) {
    this.machine = machine;
    this.separate = separate;
  }

  @Override
  public long iommuOptions() {
    return separate ? NO_SHAREPT : 0;
  }

  @Override
  public boolean areAssigned() {
    return true;
  }

  @Override
  public void attach(DomainId guest) {
    Sbdf device = free.removeFirst();
    machine.assign(device, machine.hypervisor.domains().byId(guest));
    assigned.put(guest, device);
  }

  @Override
  public void forget(DomainId guest) {
    Sbdf device = assigned.remove(guest);
    if (device != null) {
      free.addLast(device);
    }
  }

  @Override
  public OptionalLong read(DomainId guest, long frame) {
    byte[] word = new byte[Long.BYTES];
    DmaOutcome outcome = machine.read(device(guest), frame << 12, word);
    return outcome.verdict() == DmaOutcome.Verdict.DONE
        ? OptionalLong.of(ByteBuffer.wrap(word).order(ByteOrder.LITTLE_ENDIAN).getLong())
        : OptionalLong.empty();
  }

  @Override
  public boolean write(DomainId guest, long frame, long word) {
    ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    String hex = HexFormat.of().formatHex(bytes.putLong(word).array());
    return machine.write(device(guest), frame << 12, hex).verdict() == DmaOutcome.Verdict.DONE;
  }

  private Sbdf device(DomainId guest) {
    return Objects.requireNonNull(assigned.get(guest));
  }

  @Override
  public List<String> violations() {
    return machine.violations().stream().map(Violation::toString).toList();
  }
}
