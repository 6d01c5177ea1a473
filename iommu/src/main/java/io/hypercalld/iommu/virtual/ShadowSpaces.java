package io.hypercalld.iommu.virtual;

import io.hypercalld.core.digest.Digestible;
import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.iommu.driver.IoContexts;
import io.hypercalld.iommu.driver.NestedContext;
import io.hypercalld.iommu.driver.VtdDriver;
import io.hypercalld.iommu.unit.RequesterSpace.Translated;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The address spaces that stand for a guest's: a shadow of each second-level table, and a pseudo
 * domain id for the first-level tables under each of the guest's domain-ids, by what lies below
 * them. Confined to the machine thread.
 *
 * <p>They are made when they are first asked for and given back when no device needs them.
 */
final class ShadowSpaces implements Digestible {
  private final Domain domain;
  private final IoContexts contexts;
  private final GuestTables reader;

  /** By the guest's table; under nothing the space of devices that the guest blocks. */
  private final Map<Optional<Translated>, ShadowSpace> shadows = new LinkedHashMap<>();

  private final Map<Nesting, NestedContext> nestings = new LinkedHashMap<>();

  /**
   * First-level tables as a guest tells them apart.
   *
   * @param domainId the guest's
   * @param below the guest's second-level table; empty where the domain's own is the second level
   */
  record Nesting(int domainId, Optional<Translated> below) {}

  ShadowSpaces(Domain domain, VtdDriver driver, GuestTables reader) {
    this.domain = domain;
    this.contexts = driver.ioContexts();
    this.reader = reader;
  }

  Collection<ShadowSpace> shadows() {
    return Collections.unmodifiableCollection(shadows.values());
  }

  Map<Nesting, NestedContext> nestings() {
    return Collections.unmodifiableMap(nestings);
  }

  Optional<ShadowSpace> find(Optional<Translated> source) {
    return Optional.ofNullable(shadows.get(source));
  }

  /**
   * An empty shadow, to be read.
   *
   * @throws io.hypercalld.core.errno.Refusal ENOSPC no pseudo domain id, ENOMEM no frame is free
   */
  ShadowSpace create(Optional<Translated> source) {
    ShadowSpace space = new ShadowSpace(source, contexts.create(domain.id()), domain.p2m(), reader);
    shadows.put(source, space);
    return space;
  }

  /**
   * What stands for first-level tables.
   *
   * @param below what stands for the guest's second-level table, where it has one
   * @throws io.hypercalld.core.errno.Refusal ENOSPC no pseudo domain id
   */
  NestedContext nesting(Nesting key, Optional<ShadowSpace> below) {
    NestedContext present = nestings.get(key);
    if (present != null) {
      return present;
    }
    NestedContext made = contexts.createNested(domain.id(), below.map(ShadowSpace::context));
    nestings.put(key, made);
    return made;
  }

  /** What stands for the first-level tables under a guest's domain-id. */
  List<NestedContext> ofDomainId(int domainId) {
    return nestings.entrySet().stream()
        .filter(each -> each.getKey().domainId() == domainId)
        .map(Map.Entry::getValue)
        .toList();
  }

  /** Gives back what no device goes through. */
  void keepOnly(Collection<Place> places) {
    Set<NestedContext> nested =
        places.stream().flatMap(Place::nestings).collect(Collectors.toSet());
    nestings
        .values()
        .removeIf(
            each -> {
              boolean unused = !nested.contains(each);
              if (unused) {
                contexts.destroy(each);
              }
              return unused;
            });
    Set<ShadowSpace> used = places.stream().flatMap(Place::shadows).collect(Collectors.toSet());
    nestings.keySet().forEach(each -> used.addAll(below(each)));
    shadows
        .values()
        .removeIf(
            space -> {
              boolean unused = !used.contains(space);
              if (unused) {
                contexts.destroy(space.context());
              }
              return unused;
            });
  }

  private List<ShadowSpace> below(Nesting nesting) {
    return nesting.below().isPresent() ? find(nesting.below()).stream().toList() : List.of();
  }

  /** Where a shadow is not what it should be. */
  List<String> violations() {
    return shadows.values().stream().flatMap(space -> space.violation().stream()).toList();
  }

  @Override
  public void digest(StateDigest digest) {
    digest.put(shadows.size());
    shadows.values().forEach(digest::put);
    digest.put(nestings.size());
    nestings.forEach((key, context) -> digest.put(key.toString()).put(context.tag().value()));
  }
}
