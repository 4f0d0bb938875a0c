//! Maps of shared values, written as maps of values.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
    map: &BTreeMap<K, Arc<V>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(map.iter().map(|(key, value)| (key, value.as_ref())))
}

pub(crate) fn deserialize<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<K, Arc<V>>, D::Error> {
    let map = BTreeMap::<K, V>::deserialize(deserializer)?;
    Ok(map.into_iter().map(|(key, value)| (key, Arc::new(value))).collect())
}
