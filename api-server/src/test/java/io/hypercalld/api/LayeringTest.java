package io.hypercalld.api;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.GeneralCodingRules.ACCESS_STANDARD_STREAMS;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.library.Architectures;
import io.hypercalld.api.http.planted.Front;
import io.hypercalld.api.json.planted.ServedText;
import io.hypercalld.api.rest.planted.BackgroundRoute;
import io.hypercalld.api.rest.planted.FrameworkRoute;
import io.hypercalld.api.rest.planted.TalkativeRoute;
import io.hypercalld.core.house.HouseRule;
import io.hypercalld.core.house.HouseRules;
import io.hypercalld.core.house.KeepsHouse;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;

/** The layers of the API server, and the rules of the house. */
final class LayeringTest implements KeepsHouse {
  private static final JavaClasses PRODUCT = HouseRule.productClasses("io.hypercalld.api");

  private static final String PROGRAM = "io.hypercalld.api";
  private static final String HTTP = "io.hypercalld.api.http..";
  private static final String MACHINE = "io.hypercalld.api.machine..";

  /** Each knows only those before it, and the program all of them. */
  private static final List<String> UPWARD =
      List.of(
          "json",
          "copy",
          "driver",
          "cli",
          "client",
          "hypercall",
          "machine",
          "platform",
          "conformance",
          "debug",
          "experiment",
          "event",
          "journal",
          "rest",
          "metrics",
          "openapi",
          "resource",
          "http");

  static Stream<HouseRule> rules() {
    return Stream.concat(
        Stream.of(packagesInOrder(), frameworkAtTheDoor(), threadsInOnePlace(), quiet()),
        HouseRules.everywhere().stream());
  }

  private static HouseRule packagesInOrder() {
    var layers =
        Architectures.layeredArchitecture()
            .consideringOnlyDependenciesInLayers()
            .ensureAllClassesAreContainedInArchitecture()
            .optionalLayer("program")
            .definedBy(PROGRAM);
    for (String layer : UPWARD) {
      layers = layers.optionalLayer(layer).definedBy(PROGRAM + "." + layer + "..");
    }
    for (int at = 0; at < UPWARD.size(); at++) {
      List<String> above = new ArrayList<>(UPWARD.subList(at + 1, UPWARD.size()));
      above.add("program");
      layers =
          layers.whereLayer(UPWARD.get(at)).mayOnlyBeAccessedByLayers(above.toArray(String[]::new));
    }
    return HouseRule.of(
        layers.whereLayer("program").mayNotBeAccessedByAnyLayer(), ServedText.class, Front.class);
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

  @Override
  public JavaClasses product() {
    return PRODUCT;
  }
}
