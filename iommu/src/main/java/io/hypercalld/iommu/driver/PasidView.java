package io.hypercalld.iommu.driver;

import io.hypercalld.core.digest.StateDigest;
import io.hypercalld.core.domain.DomainId;
import java.util.Collections;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What a guest's PASID tables make of a device's requests. Immutable.
 *
 * @param deviceTlb whether the device may keep translations, as far as the hypervisor lets it
 * @param pasids whether its requests may carry a PASID
 * @param requestPasid whose space requests without PASID go through
 * @param spaces by PASID; requests of any other are blocked
 */
public record PasidView(
    boolean deviceTlb, boolean pasids, int requestPasid, SortedMap<Integer, PasidSpace> spaces) {
  /** Everything is blocked. */
  public static final PasidView BLOCKED =
      new PasidView(false, false, 0, Collections.emptySortedMap());

  public PasidView {
    // No view of a map: copies of the whole machine are made of what they know.
    spaces = new TreeMap<>(spaces);
  }

  /** Whose domain-ids tag what units remember of the device's requests. */
  Set<DomainId> tags(DomainId owner) {
    Set<DomainId> tags = new TreeSet<>();
    spaces.values().forEach(space -> tags.add(space.tag(owner)));
    return tags;
  }

  /** Whose domain-id tags requests without PASID; empty where these are blocked. */
  public Optional<DomainId> requestTag(DomainId owner) {
    return Optional.ofNullable(spaces.get(requestPasid)).map(space -> space.tag(owner));
  }

  /** The address spaces; empty where there are none. */
  Optional<Reach> reach(AddressSpace own) {
    SortedMap<Integer, AddressSpace> reached = new TreeMap<>();
    spaces.forEach((pasid, space) -> reached.put(pasid, addressSpace(space, own)));
    return reached.isEmpty()
        ? Optional.empty()
        : Optional.of(new Reach(deviceTlb, pasids, requestPasid, reached));
  }

  private static AddressSpace addressSpace(PasidSpace space, AddressSpace own) {
    return switch (space) {
      case PasidSpace.Own _ -> own;
      case PasidSpace.Through(IoContext context) -> context.addressSpace();
      case PasidSpace.Nested(NestedContext context, var guest) ->
          context.below().map(IoContext::addressSpace).orElse(own).below(guest, context.tag());
    };
  }

  void digest(StateDigest digest, DomainId owner) {
    digest.put(deviceTlb).put(pasids).put(requestPasid).put(spaces.size());
    spaces.forEach((pasid, space) -> digest.put(pasid).put(space.tag(owner).value()));
  }
}
