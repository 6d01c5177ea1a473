package io.hypercalld.iommu.driver;

import io.hypercalld.iommu.vtd.Capabilities;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * How domain-ids are chosen, in the order in which Xen had these ways, the last first.
 *
 * @see "documents/004, VT-d: per-iommu domain-id"
 */
public enum DomainIdPolicy {
  /** Each unit chooses from its own ids. */
  PER_UNIT {
    @Override
    DomainIds ofUnit(int unit, Capabilities capabilities, Profile profile) {
      int size = capabilities.domainIds();
      boolean cachingMode = capabilities.cachingMode();
      if (profile == Profile.AS_SHIPPED) {
        return new ScannedDomainIds(unit, size, cachingMode);
      }
      return size > MAX_MAPPED_DOMAIN_IDS
          ? VerbatimDomainIds.whole(unit, cachingMode)
          : new MappedDomainIds(unit, size, cachingMode);
    }
  },

  /** One space for the platform, sized by the first unit. */
  GLOBAL {
    @Override
    DomainIds ofUnit(int unit, Capabilities capabilities, Profile profile) {
      throw new IllegalStateException("units share their domain-ids");
    }

    @Override
    List<DomainIds> ofUnits(List<Capabilities> units, Profile profile) {
      List<DomainIds> views = new ArrayList<>();
      if (!units.isEmpty()) {
        PlatformDomainIds.Space space =
            new PlatformDomainIds.Space(
                units.getFirst().domainIds(), profile != Profile.AS_SHIPPED);
        for (int unit = 0; unit < units.size(); unit++) {
          views.add(new PlatformDomainIds(space, unit, units.get(unit).domainIds()));
        }
      }
      return views;
    }
  },

  /** The domain's number itself. */
  VERBATIM {
    @Override
    DomainIds ofUnit(int unit, Capabilities capabilities, Profile profile) {
      int size = capabilities.domainIds();
      return profile == Profile.FIXED
          ? VerbatimDomainIds.checked(unit, size, capabilities.cachingMode())
          : VerbatimDomainIds.truncated(unit, size);
    }
  };

  /** Above this a unit has ids for every domain and every pseudo domain, and needs no map. */
  private static final int MAX_MAPPED_DOMAIN_IDS = 2 * 0x7fff + 1;

  abstract DomainIds ofUnit(int unit, Capabilities capabilities, Profile profile);

  /** Empty spaces for units with these capabilities, in their order. */
  List<DomainIds> ofUnits(List<Capabilities> units, Profile profile) {
    List<DomainIds> spaces = new ArrayList<>();
    for (int unit = 0; unit < units.size(); unit++) {
      spaces.add(ofUnit(unit, units.get(unit), profile));
    }
    return spaces;
  }

  /** As the policy spells it: {@code per-unit}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
