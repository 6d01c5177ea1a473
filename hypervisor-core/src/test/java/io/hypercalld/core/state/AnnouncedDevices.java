package io.hypercalld.core.state;

import io.hypercalld.core.Hypervisor;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.memory.Mfn;
import io.hypercalld.core.p2m.DmaPermission;
import io.hypercalld.core.p2m.P2mChange;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.TreeMap;

/** Devices that see what the P2M announces, as it is announced. */
final class AnnouncedDevices implements Devices {
  private final Map<DomainId, TreeMap<Long, Reached>> tables = new TreeMap<>();
  private final Hypervisor hypervisor;

  /** A page that a device reaches. */
  private record Reached(Mfn mfn, DmaPermission permission) {}

  AnnouncedDevices(Hypervisor hypervisor) {
    this.hypervisor = hypervisor;
  }

  @Override
  public long iommuOptions() {
    return 1;
  }

  @Override
  public boolean areAssigned() {
    return false;
  }

  @Override
  public void attach(DomainId guest) {
    TreeMap<Long, Reached> table = new TreeMap<>();
    tables.put(guest, table);
    hypervisor.domains().byId(guest).p2m().announcements().observe(change -> note(table, change));
  }

  private static void note(Map<Long, Reached> table, P2mChange change) {
    for (long i = 0; i < change.frames(); i++) {
      if (change.permission() == DmaPermission.NONE) {
        table.remove(change.gfn().value() + i);
      } else {
        table.put(change.gfn().value() + i, new Reached(change.mfn().plus(i), change.permission()));
      }
    }
  }

  @Override
  public void forget(DomainId guest) {
    tables.remove(guest);
  }

  @Override
  public OptionalLong read(DomainId guest, long frame) {
    Reached reached = Objects.requireNonNull(tables.get(guest)).get(frame);
    return reached == null
        ? OptionalLong.empty()
        : OptionalLong.of(hypervisor.memory().readWord(reached.mfn.maddr()));
  }

  @Override
  public boolean write(DomainId guest, long frame, long word) {
    Reached reached = Objects.requireNonNull(tables.get(guest)).get(frame);
    if (reached == null || reached.permission != DmaPermission.READ_WRITE) {
      return false;
    }
    hypervisor.memory().writeWord(reached.mfn.maddr(), word);
    return true;
  }

  @Override
  public List<String> violations() {
    return List.of();
  }
}
