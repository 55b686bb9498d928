package rivals;

import java.util.LinkedHashMap;
import java.util.Map;

import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.metrics.MetricValueProvider;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.metrics.PluginMetrics;
import org.apache.kafka.common.metrics.Sensor;

/** Metrics for an authorizer, which must have some, of a level that is not recorded. */
final class Uncounted implements PluginMetrics {
    private final Metrics metrics = new Metrics();

    @Override
    public MetricName metricName(String name, String description,
                                 LinkedHashMap<String, String> tags) {
        return metrics.metricName(name, "plugins", description, Map.copyOf(tags));
    }

    @Override
    public void addMetric(MetricName name, MetricValueProvider<?> provider) {
        metrics.addMetric(name, provider);
    }

    @Override
    public void removeMetric(MetricName name) {
        metrics.removeMetric(name);
    }

    @Override
    public Sensor addSensor(String name) {
        return metrics.sensor(name, Sensor.RecordingLevel.TRACE);
    }

    @Override
    public void removeSensor(String name) {
        metrics.removeSensor(name);
    }
}
