package io.hypercalld.iommu.virtual;

import io.hypercalld.iommu.driver.NestedContext;
import io.hypercalld.iommu.driver.PasidSpace;
import io.hypercalld.iommu.driver.PasidView;
import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.unit.RequesterPasids;
import io.hypercalld.iommu.vtd.Invalidation;
import io.hypercalld.iommu.vtd.PasidPrefix;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Where a guest's tables send a physical device. Immutable.
 *
 * @param view what the machine's unit goes by for a guest in scalable mode, by PASID; empty in
 *     legacy mode
 * @param said what the guest's tables said when it was made of them; nothing in legacy mode
 * @param spaces the shadows that its requests go through, by PASID; requests in legacy mode have
 *     PASID 0
 */
record Place(
    DeviceMode mode,
    Optional<PasidView> view,
    RequesterPasids said,
    Map<Integer, ShadowSpace> spaces) {
  static final Place DEFAULT = legacy(DeviceMode.DEFAULT, Map.of());
  static final Place PASSTHROUGH = legacy(DeviceMode.PASSTHROUGH, Map.of());

  Place {
    spaces = Map.copyOf(spaces);
  }

  /** Through a shadow, as legacy mode has it. */
  static Place shadowed(ShadowSpace space) {
    return legacy(DeviceMode.SHADOW, Map.of(0, space));
  }

  private static Place legacy(DeviceMode mode, Map<Integer, ShadowSpace> spaces) {
    return new Place(mode, Optional.empty(), RequesterPasids.BLOCKED, spaces);
  }

  /** What scalable mode says. */
  static Place of(RequesterPasids said, PasidView view, Map<Integer, ShadowSpace> spaces) {
    return new Place(mode(view), Optional.of(view), said, spaces);
  }

  /** What is most the guest's own of what its PASIDs use. */
  private static DeviceMode mode(PasidView view) {
    if (view.spaces().values().stream().anyMatch(PasidSpace.Nested.class::isInstance)) {
      return DeviceMode.NESTED;
    }
    boolean passes =
        !view.spaces().isEmpty()
            && view.spaces().values().stream().allMatch(PasidSpace.Own.class::isInstance);
    return passes ? DeviceMode.PASSTHROUGH : DeviceMode.SHADOW;
  }

  /** The shadow of requests without PASID. */
  Optional<ShadowSpace> space() {
    return space(PasidPrefix.NONE);
  }

  /** The shadow of a request. */
  Optional<ShadowSpace> space(PasidPrefix prefix) {
    return Optional.ofNullable(spaces.get(pasid(prefix)));
  }

  /** Where the tables send a request; empty where they block it, and in legacy mode. */
  Optional<PasidSpace> target(PasidPrefix prefix) {
    return view.map(said -> said.spaces().get(pasid(prefix)));
  }

  int pasid(PasidPrefix prefix) {
    return prefix.present() ? prefix.pasid() : view.map(PasidView::requestPasid).orElse(0);
  }

  Stream<ShadowSpace> shadows() {
    return spaces.values().stream();
  }

  Stream<NestedContext> nestings() {
    return view.stream()
        .flatMap(said -> said.spaces().values().stream())
        .flatMap(
            space ->
                space instanceof PasidSpace.Nested(NestedContext context, var _)
                    ? Stream.of(context)
                    : Stream.empty());
  }

  /**
   * Whether a command concerns the entry that led here. What the guest blocks no unit need
   * remember, so every command does; and scalable mode's context entries name no domain-id.
   *
   * @param seen how the guest knows the device
   */
  boolean isNamedBy(Invalidation.OfContexts command, Optional<SourceId> seen) {
    boolean blocked = space().filter(one -> one.source().isEmpty()).isPresent();
    return blocked
        || switch (command) {
          case Invalidation.AllContexts _ -> true;
          case Invalidation.DomainContexts(int domainId) ->
              view.isPresent()
                  || mode == DeviceMode.PASSTHROUGH
                  || space().filter(one -> one.hasDomainId(domainId)).isPresent();
          case Invalidation.DeviceContexts(int _, SourceId requester, int mask) ->
              seen.filter(one -> matches(one, requester, mask)).isPresent();
        };
  }

  private static boolean matches(SourceId seen, SourceId named, int mask) {
    int ignored = (0x8 - (0x8 >> mask)) & 0x7;
    return ((seen.value() ^ named.value()) & ~ignored) == 0;
  }
}
