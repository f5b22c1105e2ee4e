//! A cluster of several servers.

use std::io;

use super::{Program, RedisBox, until};

/// All slots of a cluster.
const SLOTS: usize = 16_384;

/// A cluster of primaries.
#[derive(Debug)]
pub struct RedisCluster {
    nodes: Vec<RedisBox>,
}

impl RedisCluster {
    /// Starts so many servers, spreads the slots over them and waits until all agree.
    pub fn start(nodes: usize) -> io::Result<Self> {
        Self::start_with(nodes, &["--appendonly", "yes"])
    }

    /// Of servers with options of their own.
    pub fn start_with(nodes: usize, options: &[&str]) -> io::Result<Self> {
        let options = [&["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"], options].concat();
        let nodes: Vec<RedisBox> =
            (0..nodes).map(|_| RedisBox::start_with(Program::Redis, &options)).collect::<io::Result<_>>()?;
        let Some(first) = nodes.first() else { return Err(io::Error::other("a cluster has nodes")) };
        for (index, node) in nodes.iter().enumerate() {
            let (from, to) = (SLOTS * index / nodes.len(), SLOTS * (index + 1) / nodes.len() - 1);
            node.command(&["CLUSTER", "ADDSLOTSRANGE", &from.to_string(), &to.to_string()])?;
            node.command(&["CLUSTER", "SET-CONFIG-EPOCH", &(index + 1).to_string()])?;
            first.command(&["CLUSTER", "MEET", "127.0.0.1", &node.port().to_string()])?;
        }
        let count = format!("cluster_known_nodes:{}", nodes.len());
        until("every node of the cluster knows the others", || {
            for node in &nodes {
                let info = node.command(&["CLUSTER", "INFO"])?.text();
                if !info.contains("cluster_state:ok") || !info.contains(&count) {
                    return Ok(false);
                }
            }
            Ok(true)
        })?;
        Ok(Self { nodes })
    }

    /// Where it is, for `--store`.
    pub fn url(&self) -> String {
        let nodes: Vec<String> = self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
        format!("redis+cluster://{}", nodes.join(","))
    }

    /// The server that has a key.
    pub fn node_of(&mut self, key: &str) -> io::Result<&mut RedisBox> {
        for node in &mut self.nodes {
            if !node.command(&["TYPE", key])?.refused() {
                return Ok(node);
            }
        }
        Err(io::Error::other("no server has the key"))
    }

    /// Its servers.
    pub fn nodes(&mut self) -> &mut [RedisBox] {
        &mut self.nodes
    }
}
