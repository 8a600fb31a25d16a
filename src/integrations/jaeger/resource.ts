import type { Attributes } from '@opentelemetry/api';
import type * as resources from '@opentelemetry/resources';
import type { Resource } from '@opentelemetry/resources';
import { peer } from './peers.js';
import type { Settings } from './settings.js';

const SERVICE_NAME = 'service.name';

/** What is said of this process with each span: the SDK's own, below the environment's, below what was given. */
export const resourceOf = ({ serviceName, attributes }: Settings): Resource => {
  const { defaultResource, detectResources, envDetector, resourceFromAttributes } = peer<typeof resources>(
    '@opentelemetry/resources',
    'startTracing',
  );
  const fromEnvironment = detectResources({ detectors: [envDetector] });
  const name = serviceName ?? attributes[SERVICE_NAME] ?? fromEnvironment.attributes[SERVICE_NAME];
  if (name === undefined)
    throw new TypeError("serviceName: expected a name such as 'orders', or OTEL_SERVICE_NAME in the environment");
  const own: Attributes = { ...attributes, [SERVICE_NAME]: name };
  return defaultResource().merge(fromEnvironment).merge(resourceFromAttributes(own));
};
