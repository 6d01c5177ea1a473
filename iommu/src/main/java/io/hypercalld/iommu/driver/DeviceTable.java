package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.iommu.pci.Sbdf;
import java.util.Collection;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The PCI functions that the hypervisor knows, each in exactly one owner's list. Confined to the
 * machine thread.
 */
public final class DeviceTable implements Digestible {
  private final SortedMap<Sbdf, PciDevice> devices = new TreeMap<>();
  private final Map<DomainId, SortedMap<Sbdf, PciDevice>> lists = new TreeMap<>();

  DeviceTable() {}

  /** Every device in order of address; an unmodifiable view. */
  public Collection<PciDevice> all() {
    return Collections.unmodifiableCollection(devices.values());
  }

  public Optional<PciDevice> find(Sbdf sbdf) {
    return Optional.ofNullable(devices.get(sbdf));
  }

  /** The devices of an owner in order of address; an unmodifiable view. */
  public Collection<PciDevice> ownedBy(DomainId owner) {
    return Collections.unmodifiableCollection(
        lists.getOrDefault(owner, Collections.emptySortedMap()).values());
  }

  void add(PciDevice device) {
    devices.put(device.sbdf(), device);
    enlist(device);
  }

  void remove(PciDevice device) {
    devices.remove(device.sbdf());
    delist(device);
  }

  /** Moves a device from its owner's list to another's. */
  void transfer(PciDevice device, DomainId owner) {
    delist(device);
    device.owner = owner;
    enlist(device);
  }

  private void enlist(PciDevice device) {
    lists.computeIfAbsent(device.owner(), _ -> new TreeMap<>()).put(device.sbdf(), device);
  }

  private void delist(PciDevice device) {
    SortedMap<Sbdf, PciDevice> list = lists.get(device.owner());
    if (list == null || list.remove(device.sbdf()) == null) {
      throw new IllegalStateException(device.sbdf() + " is not in the list of " + device.owner());
    }
    if (list.isEmpty()) {
      lists.remove(device.owner());
    }
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("devices").put(devices.size());
    devices.values().forEach(digest::put);
  }
}
