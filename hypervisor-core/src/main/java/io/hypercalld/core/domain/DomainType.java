package io.hypercalld.core.domain;

/** How a domain is virtualised. */
public enum DomainType {
  HVM,
  /** HVM without a device model: its only emulated device is the local APIC. */
  PVH,
  PV;

  /** Whether the domain has a P2M, so that its frame numbers are not the machine's. */
  public boolean isTranslated() {
    return this != PV;
  }
}
