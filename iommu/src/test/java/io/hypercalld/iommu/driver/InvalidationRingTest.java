package io.hypercalld.iommu.driver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hypercalld.core.errno.Refusal;
import io.hypercalld.iommu.unit.Malfunction;
import io.hypercalld.iommu.unit.QueueState;
import io.hypercalld.iommu.unit.RemappingUnit;
import io.hypercalld.iommu.vtd.Register;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A queue that the unit leaves standing: spec/vtd.md 1.9, B113. */
final class InvalidationRingTest {
  private final SimulatedMachine machine = SimulatedMachine.boot();
  private final UnitDriver driver = machine.driver.units().getFirst();
  private final RemappingUnit unit = machine.units.getFirst();

  @AfterEach
  void close() {
    machine.close();
  }

  private Malfunction standStill(int skip, int times) {
    Malfunction malfunction =
        new Malfunction(
            new Malfunction.Target(Optional.of(Malfunction.Command.CONTEXT), Optional.empty()),
            skip,
            times,
            Malfunction.Effect.INVALIDATION_TIMEOUT);
    unit.malfunctions().add(malfunction);
    return malfunction;
  }

  private int waiting() {
    QueueState queue = unit.queue();
    return Math.floorMod(queue.tail() - queue.head(), queue.size());
  }

  @Test
  void fullRing_isRefusedBeforeTheTailMeetsTheHead_andDrainsOnceTheUnitGoesOn() {
    Malfunction still = standStill(0, Integer.MAX_VALUE);

    for (int command = 1; command <= 127; command++) {
      assertThatThrownBy(driver::forgetAll).isInstanceOf(Refusal.class);
      assertThat(waiting()).isEqualTo(2 * command);
    }
    for (int more = 0; more < 3; more++) {
      assertThatThrownBy(driver::forgetAll).hasMessageContaining("it is full");
      assertThat(waiting()).isEqualTo(254);
    }

    unit.malfunctions().remove(still);
    unit.write64(Register.IQT.offset(), unit.read64(Register.IQT.offset()));
    assertThat(waiting()).isZero();
    assertThatCode(driver::forgetAll).doesNotThrowAnyException();
  }

  /** The first command's wait is carried out while the second's has yet to be. */
  @Test
  void answerToACommandThatWasGivenUp_isNoneToTheNext() {
    standStill(0, 1);
    assertThatThrownBy(driver::forgetAll).isInstanceOf(Refusal.class);
    standStill(1, 1);

    assertThatThrownBy(driver::forgetAll).isInstanceOf(Refusal.class);

    assertThat(waiting()).isEqualTo(2);
    assertThatCode(driver::forgetAll).doesNotThrowAnyException();
  }
}
