package io.hypercalld.api;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.GeneralCodingRules.ACCESS_STANDARD_STREAMS;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.library.Architectures;
import io.hypercalld.api.http.planted.Front;
import io.hypercalld.api.json.planted.ServedText;
import io.hypercalld.api.rest.planted.BackgroundRoute;
import io.hypercalld.api.rest.planted.FrameworkRoute;
import io.hypercalld.api.rest.planted.TalkativeRoute;
import io.hypercalld.core.house.HouseRule;
import io.hypercalld.core.house.HouseRules;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The layers of the API server, and the rules of the house. */
final class LayeringTest {
  private static final JavaClasses PRODUCT = HouseRule.productClasses("io.hypercalld.api");

  private static final String PROGRAM = "io.hypercalld.api";
  private static final String HTTP = "io.hypercalld.api.http..";
  private static final String MACHINE = "io.hypercalld.api.machine..";

  /** Each knows only those before it. */
  private static final List<String> UPWARD =
      List.of(
          "json",
          "cli",
          "hypercall",
          "machine",
          "platform",
          "debug",
          "event",
          "journal",
          "rest",
          "metrics",
          "resource",
          "http");

  static Stream<HouseRule> rules() {
    return Stream.concat(
        Stream.of(packagesInOrder(), frameworkAtTheDoor(), threadsInOnePlace(), quiet()),
        HouseRules.everywhere().stream());
  }

  private static HouseRule packagesInOrder() {
    var layers = Architectures.layeredArchitecture().consideringOnlyDependenciesInLayers();
    for (String layer : UPWARD) {
      layers = layers.optionalLayer(layer).definedBy("io.hypercalld.api." + layer + "..");
    }
    for (String layer : UPWARD.subList(0, UPWARD.size() - 1)) {
      String[] above =
          UPWARD.subList(UPWARD.indexOf(layer) + 1, UPWARD.size()).toArray(String[]::new);
      layers = layers.whereLayer(layer).mayOnlyBeAccessedByLayers(above);
    }
    return HouseRule.of(
        layers.whereLayer("http").mayNotBeAccessedByAnyLayer(), ServedText.class, Front.class);
  }

  private static HouseRule frameworkAtTheDoor() {
    return HouseRule.of(
        noClasses()
            .that()
            .resideOutsideOfPackages(PROGRAM, HTTP)
            .should()
            .dependOnClassesThat(resideInAnyPackage("io.micronaut..", "io.netty.."))
            .because("requests and replies are our own"),
        FrameworkRoute.class);
  }

  private static HouseRule threadsInOnePlace() {
    return HouseRule.of(
        noClasses()
            .that()
            .resideOutsideOfPackages(PROGRAM, MACHINE)
            .should()
            .dependOnClassesThat(
                assignableTo(Thread.class)
                    .or(assignableTo(ExecutorService.class))
                    .or(assignableTo(Executors.class)))
            .because("a machine has one thread, and HTTP its event loops"),
        BackgroundRoute.class);
  }

  private static HouseRule quiet() {
    return HouseRule.of(
        noClasses()
            .that()
            .doNotHaveSimpleName("Daemon")
            .should(ACCESS_STANDARD_STREAMS)
            .because("standard output belongs to the ready line"),
        TalkativeRoute.class);
  }

  @ParameterizedTest
  @MethodSource("rules")
  void product_everyRule_isKept(HouseRule rule) {
    rule.check(PRODUCT);
  }

  @ParameterizedTest
  @MethodSource("rules")
  void plantedViolation_everyRule_isNoticed(HouseRule rule) {
    assertThat(rule.planted()).isNotEmpty();
    assertThat(rule.unnoticed()).isEmpty();
  }
}
