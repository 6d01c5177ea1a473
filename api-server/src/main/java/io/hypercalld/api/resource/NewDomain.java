package io.hypercalld.api.resource;

import io.hypercalld.api.json.InvalidBody;
import io.hypercalld.api.json.Size;
import io.hypercalld.api.machine.ComposeDomain;
import io.hypercalld.api.rest.Failure;
import io.hypercalld.api.rest.Problems;
import io.hypercalld.core.domain.DomainType;
import io.hypercalld.core.hypercall.OrElse;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * A domain as it is asked for. Immutable.
 *
 * @param memory populated from guest frame 0 on, around the hole for devices below 4 GiB
 */
record NewDomain(
    Optional<String> name,
    Optional<UUID> uuid,
    @OrElse("\"hvm\"") DomainType type,
    @OrElse("\"1GiB\"") Size memory,
    @OrElse("1") int vcpus,
    Optional<DomainView.PageTables> pageTables,
    @OrElse("\"4KiB\"") P2mPageSize p2mPageSize,
    Optional<Map<String, Object>> viommu,
    Optional<Policies> policies) {

  /** The granule of the P2M. */
  enum P2mPageSize {
    SIZE_4K("4KiB"),
    SIZE_16K("16KiB");

    private final String text;

    P2mPageSize(String text) {
      this.text = text;
    }

    @Override
    public String toString() {
      return text;
    }
  }

  /** Policies of a domain; those that cannot be chosen yet are refused by name. */
  record Policies(
      Optional<DomainView.PageTables> pageTables,
      Optional<P2mPageSize> p2mPageSize,
      Optional<java.util.List<String>> dmaLeafSizes,
      Optional<java.util.List<String>> syncHooks,
      Optional<String> tableFrameSize,
      Optional<String> dmaMode,
      Optional<String> unclaimed,
      Optional<String> claimAccess,
      Optional<String> claimUpdate,
      Optional<String> serverDestroy,
      Optional<Integer> claimTypes,
      Optional<String> apicIds,
      Optional<String> intremap,
      Optional<String> extDestId,
      Optional<String> shadowSync,
      Optional<String> viommuApi) {
    private Map<String, Optional<?>> unbuilt() {
      return Map.ofEntries(
          Map.entry("dmaLeafSizes", dmaLeafSizes),
          Map.entry("syncHooks", syncHooks),
          Map.entry("tableFrameSize", tableFrameSize),
          Map.entry("dmaMode", dmaMode),
          Map.entry("unclaimed", unclaimed),
          Map.entry("claimAccess", claimAccess),
          Map.entry("claimUpdate", claimUpdate),
          Map.entry("serverDestroy", serverDestroy),
          Map.entry("claimTypes", claimTypes),
          Map.entry("apicIds", apicIds),
          Map.entry("intremap", intremap),
          Map.entry("extDestId", extDestId),
          Map.entry("shadowSync", shadowSync),
          Map.entry("viommuApi", viommuApi));
    }
  }

  private static final Set<Character> NAME_LETTERS = Set.of('-', '_', '.');

  /**
   * The command that makes it.
   *
   * @throws Failure 501 for what cannot be had yet
   * @throws InvalidBody for what contradicts itself
   */
  ComposeDomain toCommand() {
    if (viommu.isPresent()) {
      throw unbuilt("a virtual IOMMU");
    }
    policies.ifPresent(NewDomain::requireBuilt);
    Optional<P2mPageSize> granule = policies.flatMap(Policies::p2mPageSize);
    if (p2mPageSize == P2mPageSize.SIZE_16K
        || granule.filter(P2mPageSize.SIZE_16K::equals).isPresent()) {
      throw unbuilt("a P2M of 16 KiB pages");
    }
    Optional<DomainView.PageTables> tables = policies.flatMap(Policies::pageTables);
    if (tables.isPresent() && pageTables.isPresent() && !tables.equals(pageTables)) {
      throw InvalidBody.at("/policies/pageTables", "the member pageTables says otherwise");
    }
    name.ifPresent(NewDomain::checkName);
    ComposeDomain.Sharing sharing =
        pageTables
            .or(() -> tables)
            .map(NewDomain::sharing)
            .orElse(ComposeDomain.Sharing.WHERE_POSSIBLE);
    return new ComposeDomain(name, uuid, type, memory.bytes(), vcpus, sharing);
  }

  private static ComposeDomain.Sharing sharing(DomainView.PageTables tables) {
    return switch (tables) {
      case SHARED -> ComposeDomain.Sharing.REQUIRED;
      case SEPARATE -> ComposeDomain.Sharing.NEVER;
    };
  }

  private static void requireBuilt(Policies chosen) {
    chosen.unbuilt().entrySet().stream()
        .filter(entry -> entry.getValue().isPresent())
        .map(Map.Entry::getKey)
        .sorted()
        .findFirst()
        .ifPresent(
            policy -> {
              throw unbuilt("the policy " + policy);
            });
  }

  private static void checkName(String name) {
    boolean plain =
        name.codePoints()
            .allMatch(
                letter ->
                    Character.isLetterOrDigit(letter) || NAME_LETTERS.contains((char) letter));
    // A name of digits would be taken for an id in a path.
    if (!plain || name.isEmpty() || name.chars().allMatch(Character::isDigit)) {
      throw InvalidBody.at(
          "/name", "a name is made of letters, digits, '-', '_' and '.', not of digits alone");
    }
  }

  private static Failure unbuilt(String what) {
    return Failure.of(Problems.NOT_BUILT, "%s is not built yet, so nothing was created", what);
  }
}
