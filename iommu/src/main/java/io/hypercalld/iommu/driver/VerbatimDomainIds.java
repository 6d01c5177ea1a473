package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.errno.Errno;
import io.hypercalld.core.errno.Refusal;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * The domain's own number is its domain-id, or its complement where caching mode reserves 0, so
 * that no map is needed. Confined to the machine thread.
 *
 * <p>Today only where a unit has ids for every domain and every pseudo domain. Before December 2007
 * everywhere: hardware then takes of the number as many bits as it has, and two domains whose
 * numbers agree in them share a tag.
 *
 * @see "xen/drivers/passthrough/vtd/iommu.c, domain_iommu_domid; Xen 614f395bfd"
 */
final class VerbatimDomainIds implements DomainIds {
  static final int ALL_IDS = 1 << 16;

  private final int unit;
  private final int size;
  private final int complement;
  private final boolean checked;
  private final BitSet owners = new BitSet();

  private VerbatimDomainIds(int unit, int size, int complement, boolean checked) {
    this.unit = unit;
    this.size = size;
    this.complement = complement;
    this.checked = checked;
  }

  /** One id for each number that there is. */
  static VerbatimDomainIds whole(int unit, boolean cachingMode) {
    return checked(unit, ALL_IDS, cachingMode);
  }

  /**
   * However few ids the unit has: numbers that agree in as many bits share one, and caching mode is
   * not heeded.
   */
  static VerbatimDomainIds truncated(int unit, int size) {
    return new VerbatimDomainIds(unit, size, 0, false);
  }

  /** However few ids the unit has: a number that has no id of its own is refused. */
  static VerbatimDomainIds checked(int unit, int size, boolean cachingMode) {
    return new VerbatimDomainIds(unit, size, cachingMode ? size - 1 : 0, true);
  }

  @Override
  public int claim(DomainId owner) {
    if (checked && owner.value() >= capacity()) {
      throw Refusal.of(
          Errno.EBUSY,
          "iommu %d tells %d domain-ids apart, and none of them is %s's number",
          unit,
          size,
          owner);
    }
    owners.set(owner.value());
    return didOf(owner);
  }

  @Override
  public OptionalInt find(DomainId owner) {
    return owners.get(owner.value()) ? OptionalInt.of(didOf(owner)) : OptionalInt.empty();
  }

  /** The lowest number of those that share the id. */
  @Override
  public Optional<DomainId> ownerOf(int did) {
    if (did >= size) {
      return Optional.empty();
    }
    return IntStream.iterate(did ^ complement, owner -> owner < ALL_IDS, owner -> owner + size)
        .filter(owners::get)
        .mapToObj(DomainId::new)
        .findFirst();
  }

  @Override
  public void release(DomainId owner) {
    owners.clear(owner.value());
  }

  @Override
  public int capacity() {
    return complement == 0 ? size : size - 1;
  }

  @Override
  public int used() {
    return owners.cardinality();
  }

  @Override
  public List<Use> inUse() {
    return owners.stream()
        .mapToObj(DomainId::new)
        .map(owner -> new Use(didOf(owner), owner))
        .sorted(java.util.Comparator.comparingInt(Use::did).thenComparing(Use::owner))
        .toList();
  }

  @Override
  public void digest(StateDigest digest) {
    digest.section("domain-ids").put(size).put(complement);
    owners.stream().forEach(digest::put);
  }

  private int didOf(DomainId owner) {
    return (owner.value() ^ complement) & (size - 1);
  }
}
