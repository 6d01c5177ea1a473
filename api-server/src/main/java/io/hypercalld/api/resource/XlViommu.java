package io.hypercalld.api.resource;

import io.hypercalld.api.json.InvalidBody;
import io.hypercalld.iommu.virtual.ShadowSync;
import io.hypercalld.iommu.virtual.VirtualUnitSettings;
import java.util.List;

/**
 * The configuration option {@code viommu} of the toolstack of v4: one entry, such as {@code
 * type=intel_vtd,intremap=1}, type first. Never instantiated.
 *
 * @see "spec/documents.md S1-D5"
 */
final class XlViommu {
  private static final String TYPE = "type=";

  private XlViommu() {}

  /**
   * The unit that the entries ask for, at the usual base.
   *
   * @throws InvalidBody where the toolstack would not go on
   */
  static VirtualUnitSettings settings(List<String> entries) {
    if (entries.size() != 1) {
      throw refused("a domain has one virtual IOMMU, not %d".formatted(entries.size()));
    }
    String[] options = entries.getFirst().split(",", -1);
    if (!options[0].startsWith(TYPE)) {
      throw refused("the type comes first, not %s".formatted(options[0]));
    }
    if (!options[0].equals(TYPE + "intel_vtd")) {
      throw refused("%s is unknown".formatted(options[0]));
    }
    for (int i = 1; i < options.length; i++) {
      switch (options[i]) {
        case "intremap=1" -> {}
        case "intremap=0" -> throw refused("a virtual IOMMU without intremap can do nothing");
        default -> throw refused("%s is unknown".formatted(options[i]));
      }
    }
    return new VirtualUnitSettings(
        VirtualUnitSettings.USUAL_BASE, true, false, false, ShadowSync.STRICT);
  }

  private static InvalidBody refused(String why) {
    return InvalidBody.at("/xlViommu", "%s", why);
  }
}
