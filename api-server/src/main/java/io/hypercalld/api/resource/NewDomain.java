package io.hypercalld.api.resource;

import io.hypercalld.api.json.InvalidBody;
import io.hypercalld.api.json.Size;
import io.hypercalld.api.machine.ChoosePolicies.Toggle;
import io.hypercalld.api.machine.ComposeDomain;
import io.hypercalld.api.machine.ViommuChoices;
import io.hypercalld.api.rest.Failure;
import io.hypercalld.core.domain.DomainSettings;
import io.hypercalld.core.domain.DomainType;
import io.hypercalld.core.hypercall.OrElse;
import io.hypercalld.iommu.virtual.ShadowSync;
import io.hypercalld.iommu.virtual.VirtualUnitSettings;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * A domain as it is asked for. Immutable.
 *
 * @param memory populated from guest frame 0 on, around the hole for devices below 4 GiB
 * @param xlViommu the virtual IOMMU as a configuration of {@code xl} spells it
 */
record NewDomain(
    Optional<String> name,
    Optional<UUID> uuid,
    @OrElse("\"hvm\"") DomainType type,
    @OrElse("\"1GiB\"") Size memory,
    @OrElse("1") int vcpus,
    Optional<DomainView.PageTables> pageTables,
    Optional<MemoryChoices.Granule> p2mPageSize,
    Optional<NewViommu> viommu,
    Optional<List<String>> xlViommu,
    Optional<DomainPolicies> policies) {

  private static final Set<Character> NAME_LETTERS = Set.of('-', '_', '.');

  /**
   * The command that makes it.
   *
   * @throws Failure 501 for what cannot be had yet
   * @throws InvalidBody for what contradicts itself
   */
  ComposeDomain toCommand() {
    name.ifPresent(NewDomain::checkName);
    return new ComposeDomain(
        name,
        uuid,
        type,
        memory.bytes(),
        vcpus,
        MemoryChoices.of(this).toPolicies(),
        new ViommuChoices(viommuSettings(), policies.flatMap(DomainPolicies::viommuApi)),
        policies.map(DomainPolicies::interrupts).orElse(DomainSettings.Interrupts.USUAL));
  }

  private Optional<VirtualUnitSettings> viommuSettings() {
    if (viommu.isPresent() && xlViommu.isPresent()) {
      throw InvalidBody.at("/xlViommu", "the member viommu says it already");
    }
    ShadowSync sync = policies.flatMap(DomainPolicies::shadowSync).orElse(ShadowSync.STRICT);
    Optional<Boolean> remapping = policies.flatMap(DomainPolicies::intremap).map(Toggle.ON::equals);
    Optional<VirtualUnitSettings> wanted =
        viommu
            .map(one -> one.remapping(remapping).settings(sync))
            .or(() -> xlViommu.map(XlViommu::settings))
            .or(() -> remapping.filter(on -> on).map(_ -> NewViommu.ofInterrupts()));
    if (remapping.isPresent()
        && remapping.get() != wanted.filter(VirtualUnitSettings::intremap).isPresent()) {
      throw InvalidBody.at("/policies/intremap", "the virtual IOMMU is to do otherwise");
    }
    return wanted;
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
}
