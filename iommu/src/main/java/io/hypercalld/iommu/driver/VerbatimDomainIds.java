package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.DomainId;
import java.util.BitSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;

/**
 * The scheme for units with 16-bit ids: the domain-id is the domain's own number, or its complement
 * where caching mode reserves 0, so that no map is needed. Confined to the machine thread.
 *
 * @see "xen/drivers/passthrough/vtd/iommu.c, domain_iommu_domid"
 */
final class VerbatimDomainIds implements DomainIds {
  private static final int SIZE = 1 << 16;

  private final int complement;
  private final BitSet used = new BitSet();

  VerbatimDomainIds(boolean cachingMode) {
    this.complement = cachingMode ? SIZE - 1 : 0;
  }

  @Override
  public int claim(DomainId owner) {
    int did = didOf(owner);
    used.set(did);
    return did;
  }

  @Override
  public OptionalInt find(DomainId owner) {
    int did = didOf(owner);
    return used.get(did) ? OptionalInt.of(did) : OptionalInt.empty();
  }

  @Override
  public Optional<DomainId> ownerOf(int did) {
    return used.get(did) ? Optional.of(new DomainId(did ^ complement)) : Optional.empty();
  }

  @Override
  public void release(DomainId owner) {
    used.clear(didOf(owner));
  }

  @Override
  public int capacity() {
    return complement == 0 ? SIZE : SIZE - 1;
  }

  @Override
  public Map<Integer, DomainId> inUse() {
    Map<Integer, DomainId> ids = new TreeMap<>();
    used.stream().forEach(did -> ids.put(did, new DomainId(did ^ complement)));
    return ids;
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("domain-ids");
    used.stream().forEach(digest::put);
  }

  private int didOf(DomainId owner) {
    return owner.value() ^ complement;
  }
}
