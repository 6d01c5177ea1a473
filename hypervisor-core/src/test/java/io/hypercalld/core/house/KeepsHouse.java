package io.hypercalld.core.house;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The test of a module's rules; the module brings a static {@code Stream<HouseRule> rules()}. */
public interface KeepsHouse {
  /** The module's classes, without its tests. */
  JavaClasses product();

  @ParameterizedTest
  @MethodSource("rules")
  default void product_everyRule_isKept(HouseRule rule) {
    rule.check(product());
  }

  @ParameterizedTest
  @MethodSource("rules")
  default void plantedViolation_everyRule_isNoticed(HouseRule rule) {
    assertThat(rule.planted()).isNotEmpty();
    assertThat(rule.unnoticed()).isEmpty();
  }
}
