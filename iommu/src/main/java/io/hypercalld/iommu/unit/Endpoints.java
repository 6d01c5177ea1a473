package io.hypercalld.iommu.unit;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.iommu.pci.SourceId;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The devices behind one unit that take part in address translation. Confined to the machine
 * thread.
 */
public final class Endpoints implements Digestible {
  private final TreeMap<SourceId, Endpoint> endpoints = new TreeMap<>();

  Endpoints() {}

  /** The device's part, from the first time that it is asked for. */
  public Endpoint of(SourceId device) {
    return endpoints.computeIfAbsent(device, _ -> new Endpoint());
  }

  /** The device's part; empty where it never had one. */
  public Optional<Endpoint> find(SourceId device) {
    return Optional.ofNullable(endpoints.get(device));
  }

  /** Power goes off: no device keeps anything. */
  void powerOn() {
    endpoints.clear();
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("endpoints");
    endpoints.forEach((device, endpoint) -> digest.put(device.value()).put(endpoint));
  }
}
