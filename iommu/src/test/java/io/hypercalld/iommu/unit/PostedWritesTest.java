package io.hypercalld.iommu.unit;

import static io.hypercalld.iommu.unit.SimulatedUnit.DOMAIN;
import static io.hypercalld.iommu.unit.SimulatedUnit.X;
import static io.hypercalld.iommu.unit.SimulatedUnit.with;
import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.iommu.pci.SourceId;
import io.hypercalld.iommu.vtd.Capabilities;
import io.hypercalld.iommu.vtd.CapabilityFields;
import io.hypercalld.iommu.vtd.ContextCommand;
import io.hypercalld.iommu.vtd.GlobalCommand;
import io.hypercalld.iommu.vtd.InvalidationDescriptor;
import io.hypercalld.iommu.vtd.IotlbCommand;
import io.hypercalld.iommu.vtd.Register;
import io.hypercalld.iommu.vtd.UnitVersion;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Writes that are under way when translations go: spec/vtd.md 1.5, 1.6, 1.8, 3.5. */
final class PostedWritesTest {
  private static final long IOVA = 0x5000;
  private static final long FRAME = 0x90_0000;
  private static final SourceId NEIGHBOUR = new SourceId(0x0387);

  /** Whether X's write has landed after something was done. */
  private static boolean landsBy(
      Capabilities capabilities, int version, Consumer<SimulatedUnit> deed) {
    UnitSettings settings =
        UnitSettings.of(new UnitVersion(version), capabilities, SimulatedUnit.HOST_ADDRESS_WIDTH);
    try (var it = SimulatedUnit.off(settings).start()) {
      it.map(IOVA, FRAME);
      it.context(NEIGHBOUR, it.entry());
      it.unit.postedWrites().hold(X, true);
      write(it, X, 0x5a);
      assertThat(it.memory.readInt(FRAME)).isZero();
      assertThat(it.unit.postedWrites().underWay(X)).isEqualTo(1);
      deed.accept(it);
      boolean landed = it.memory.readInt(FRAME) == 0x5a;
      assertThat(it.unit.postedWrites().underWay(X)).isEqualTo(landed ? 0 : 1);
      return landed;
    }
  }

  private static boolean landsBy(Consumer<SimulatedUnit> deed) {
    return landsBy(SimulatedUnit.MODEL, 0x10, deed);
  }

  private static void write(SimulatedUnit it, SourceId requester, int value) {
    new RootComplex(it.memory, it.messages::add)
        .write(requester(it, requester), IOVA, new byte[] {(byte) value});
  }

  private static void read(SimulatedUnit it, SourceId requester) {
    new RootComplex(it.memory, it.messages::add).read(requester(it, requester), IOVA, new byte[1]);
  }

  private static DmaRequester requester(SimulatedUnit it, SourceId requester) {
    return new DmaRequester(requester, Optional.of(it.unit), true);
  }

  private static void invalidate(SimulatedUnit it, long command) {
    it.unit.write64(it.unit.capabilities().iotlbOffset(), command);
  }

  @Test
  void write_landsBeforeItsDeviceReads_andNotBeforeAnotherDoes() {
    assertThat(landsBy(it -> read(it, X))).isTrue();
    assertThat(landsBy(it -> read(it, NEIGHBOUR))).isFalse();
  }

  @Test
  void write_landsWhenItIsLetGo_whereverItsPageIsThen() {
    assertThat(
            landsBy(
                it -> {
                  it.map(IOVA, 0x91_0000);
                  it.unit.postedWrites().hold(X, false);
                }))
        .isTrue();
  }

  @Test
  void write_landsBeforeTranslationIsOffAndProtectionOn() {
    assertThat(landsBy(it -> it.command(GlobalCommand.TE, false))).isTrue();
    assertThat(landsBy(it -> it.write32(Register.PMEN, 0x8000_0000))).isTrue();
    assertThat(landsBy(it -> it.unit.reset())).isTrue();
    assertThat(landsBy(it -> it.contextCommand(ContextCommand.global()))).isFalse();
  }

  @ParameterizedTest(name = "CAP.DWD={0}, DW={1}")
  @CsvSource({"1, 1, true", "1, 0, false", "0, 1, false", "0, 0, false"})
  void invalidation_drainsWhereTheUnitCanAndSoftwareAsks(int can, int asked, boolean lands) {
    Capabilities capabilities = with(CapabilityFields.DWD, can);
    long command = IotlbCommand.DW.put(IotlbCommand.domain(DOMAIN), asked);

    assertThat(landsBy(capabilities, 0x10, it -> invalidate(it, command))).isEqualTo(lands);
  }

  @Test
  void descriptor_drainsUnasked_fromVersionSixOn() {
    Consumer<SimulatedUnit> flush =
        it ->
            new QueueSoftware(it, 0)
                .submit(
                    new InvalidationDescriptor(
                        InvalidationDescriptor.domainTranslations(DOMAIN).lo() & ~0xc0L, 0));

    assertThat(landsBy(with(CapabilityFields.DWD, 0), 0x60, flush)).isTrue();
    assertThat(landsBy(with(CapabilityFields.DWD, 1), 0x50, flush)).isFalse();
  }
}
